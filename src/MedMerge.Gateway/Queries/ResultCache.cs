using MedMerge.Experiments.Results;

namespace MedMerge.Gateway.Queries;

/// <summary>
/// Scenarios' results that were computed last, so that loading a page again computes nothing. Requests for the same result share one
/// computation, which goes on if a client leaves.
/// </summary>
/// <param name="maxBytes">The most bytes of predictions that are held beside those of the result that was asked for last.</param>
internal sealed class ResultCache(long maxBytes = ResultCache.DefaultBytes)
{
    private const long DefaultBytes = 256L << 20;
    private const int MaxResults = 64;

    private readonly Lock _gate = new();
    private readonly LinkedList<Entry> _recent = [];

    /// <summary>Gets a result, and computes it if it is not here.</summary>
    /// <param name="key">What the result depends on.</param>
    public Task<ScenarioResult> GetAsync(string key, Func<Task<ScenarioResult>> compute)
    {
        lock (_gate)
        {
            var entry = _recent.FirstOrDefault(known => known.Key == key);
            if (entry is not null) _recent.Remove(entry);
            if (entry is null || entry.HasFailed) entry = new Entry(key, Task.Run(compute));
            _recent.AddFirst(entry);
            Trim();
            return entry.Result;
        }
    }

    private void Trim()
    {
        while (_recent.Count > 1 && (_recent.Count > MaxResults || _recent.Sum(entry => entry.Bytes) > maxBytes)) _recent.RemoveLast();
    }

    private sealed record Entry(string Key, Task<ScenarioResult> Result)
    {
        public bool HasFailed => Result.IsFaulted || Result.IsCanceled;

        /// <summary>Of the predictions, which are nearly all of a result; 0 while it is computed.</summary>
        public long Bytes => Result.IsCompletedSuccessfully ? Result.Result.Trials.Sum(CountBytes) : 0;

        private static long CountBytes(TrialResult trial) =>
            sizeof(double) * (long)(trial.Predictions.Test.Probabilities.Length + trial.Predictions.Validation.Probabilities.Length);
    }
}

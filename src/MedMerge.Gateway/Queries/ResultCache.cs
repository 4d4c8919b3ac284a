using MedMerge.Experiments.Results;

namespace MedMerge.Gateway.Queries;

/// <summary>
/// Scenarios' results that were computed last, so that loading a page again computes nothing. Requests for the same result share one
/// computation, which goes on if a client leaves.
/// </summary>
/// <param name="maxBytes">The most bytes that are held beside those of the result that was asked for last.</param>
internal sealed class ResultCache(long maxBytes = ResultCache.DefaultBytes)
{
    private const long DefaultBytes = 256L << 20;
    private const int BytesOfTrial = 1 << 10;
    private const int BytesOfClass = 64;
    private const int BytesOfEpoch = 128;
    private const int BytesOfSpread = 64;

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
        var bytes = _recent.Sum(entry => entry.Bytes);
        while (_recent.Count > 1 && bytes > maxBytes)
        {
            bytes -= _recent.Last!.Value.Bytes;
            _recent.RemoveLast();
        }
    }

    private sealed class Entry(string key, Task<ScenarioResult> result)
    {
        private long _bytes;

        public string Key => key;

        public Task<ScenarioResult> Result => result;

        public bool HasFailed => result.IsFaulted || result.IsCanceled;

        /// <summary>About what the result takes; 0 while it is computed.</summary>
        public long Bytes
        {
            get
            {
                if (_bytes == 0 && result.IsCompletedSuccessfully) _bytes = Estimate(result.Result);
                return _bytes;
            }
        }

        private static long Estimate(ScenarioResult scenario)
        {
            var classes = scenario.Trials.Sum(trial => (long)trial.Test.Classes.Count + trial.Validation.Classes.Count);
            var resamples = scenario.Summaries.Sum(row => row.ToRival?.Seeds.Resamples.Sum(seed => (long)seed.Length) ?? 0);
            var trials = (long)scenario.Trials.Count + scenario.Missing.Count;
            var epochs = scenario.Trials.Sum(trial => (long)trial.WeightLearning.Count + (trial.Training?.FineTuning.Count ?? 0));
            var spreads = scenario.Trials.Sum(trial =>
                trial.Training?.Alpha is { } alpha ? (long)alpha.Layers.Count * alpha.Sources.Count : 0);
            return (BytesOfTrial * trials) +
                   (BytesOfClass * classes) +
                   (sizeof(double) * resamples) +
                   (BytesOfEpoch * epochs) +
                   (BytesOfSpread * spreads);
        }
    }
}

using MedMerge.Grains;

namespace MedMerge.Gateway.Queries;

/// <summary>The newest sweeps as pages list them: read once every few seconds, however many pages are open.</summary>
internal sealed class RecentSweeps(SweepQueries sweeps, TimeProvider time)
{
    /// <summary>How many sweeps it has at most.</summary>
    public const int Count = 200;

    /// <summary>How old a list may be.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private Task<List<SweepSummary>>? _last;
    private long _read;

    /// <summary>The list, newest first.</summary>
    public Task<List<SweepSummary>> GetAsync()
    {
        lock (_gate)
        {
            var isOld = _last is null || (_last.IsCompleted && time.GetElapsedTime(_read) > MaxAge);
            if (!isOld) return _last!;
            _read = time.GetTimestamp();
            return _last = Task.Run(() => sweeps.ListAsync(Count, after: null, CancellationToken.None));
        }
    }
}

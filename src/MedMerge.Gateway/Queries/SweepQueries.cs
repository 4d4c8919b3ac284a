using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using MedMerge.Grains;
using MedMerge.Storage;

namespace MedMerge.Gateway.Queries;

/// <summary>The sweeps in the store.</summary>
internal sealed partial class SweepQueries(SweepStore sweeps, ILogger<SweepQueries> logger)
{
    private const int ReadsAtOnce = 8;

    /// <summary>Whether sweeps of older versions were looked for: once for each process.</summary>
    private volatile bool _isSorted;

    /// <summary>The damaged records that were logged: once, not at every listing.</summary>
    private readonly ConcurrentDictionary<string, bool> _logged = [];

    /// <summary>Whether a sweep with this id exists; the id may be any text.</summary>
    public async Task<bool> ExistsAsync(string id, CancellationToken cancellation) =>
        IdPattern().IsMatch(id) && await sweeps.ExistsAsync(id, cancellation);

    /// <summary>
    /// Sweeps, newest first; older ones are not read. A sweep with a damaged record is listed as such and does not hide the others.
    /// </summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="after">The id of the one before the first; null to begin with the newest.</param>
    public async Task<List<SweepSummary>> ListAsync(int limit, string? after, CancellationToken cancellation)
    {
        if (!_isSorted) await sweeps.SortOlderAsync(cancellation);
        _isSorted = true;
        var ids = new List<string>();
        var isSkipping = after is not null;
        await foreach (var id in sweeps.ListNewestAsync(cancellation))
        {
            if (ids.Count == limit) break;
            if (!isSkipping && !ids.Contains(id)) ids.Add(id); // two may have tried to create it
            if (id == after) isSkipping = false;
        }
        var summaries = new List<SweepSummary>();
        foreach (var some in ids.Chunk(ReadsAtOnce))
            summaries.AddRange((await Task.WhenAll(some.Select(id => SummariseAsync(id, cancellation)))).OfType<SweepSummary>());
        return summaries;
    }

    private async Task<SweepSummary?> SummariseAsync(string id, CancellationToken cancellation)
    {
        try
        {
            if (await sweeps.FindHeadAsync(id, cancellation) is not var (head, _)) return null; // just created, or removed
            return new SweepSummary(id, head.Name, head.State, head.Submitted, head.Counts.Of(head.State), head.Reason, head.Submitter);
        }
        catch (InvalidDataException damaged)
        {
            if (_logged.TryAdd(id, true)) LogDamaged(damaged, id);
            return new SweepSummary(id, id, WorkState.Damaged, DateTimeOffset.MinValue, new TrialCounts(0), damaged.Message);
        }
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,60}\z")]
    private static partial Regex IdPattern();

    [LoggerMessage(LogLevel.Error, "The record of sweep {Sweep} can't be read; it is listed as damaged.")]
    private partial void LogDamaged(Exception error, string sweep);
}

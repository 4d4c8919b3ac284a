using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using MedMerge.Grains;
using MedMerge.Storage;

namespace MedMerge.Gateway.Queries;

/// <summary>The sweeps in the store.</summary>
internal sealed partial class SweepQueries(SweepStore sweeps, ILogger<SweepQueries> logger)
{
    /// <summary>The damaged records that were logged: once, not at every listing.</summary>
    private readonly ConcurrentDictionary<string, bool> _logged = [];

    /// <summary>Whether a sweep with this id exists; the id may be any text.</summary>
    public async Task<bool> ExistsAsync(string id, CancellationToken cancellation) =>
        IdPattern().IsMatch(id) && await sweeps.FindAsync(id, cancellation) is not null;

    /// <summary>All sweeps, newest first. A sweep with a damaged record is listed as such and does not hide the others.</summary>
    public async Task<List<SweepSummary>> ListAsync(CancellationToken cancellation)
    {
        var summaries = new List<SweepSummary>();
        foreach (var id in await sweeps.ListAsync(cancellation))
        {
            try
            {
                if (await sweeps.FindAsync(id, cancellation) is { } found) summaries.Add(Summarise(id, found.Record));
            }
            catch (InvalidDataException damaged)
            {
                if (_logged.TryAdd(id, true)) LogDamaged(damaged, id);
                summaries.Add(new SweepSummary(id, id, WorkState.Damaged, DateTimeOffset.MinValue, 0, 0, damaged.Message));
            }
        }
        return [.. summaries.OrderByDescending(sweep => sweep.Submitted)];
    }

    private static SweepSummary Summarise(string id, SweepRecord record) => new(
        id,
        record.Name,
        record.State,
        record.Submitted,
        record.Trials.Count,
        record.Trials.Count(trial => trial.State == WorkState.Done),
        record.Reason);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,60}\z")]
    private static partial Regex IdPattern();

    [LoggerMessage(LogLevel.Error, "The record of sweep {Sweep} can't be read; it is listed as damaged.")]
    private partial void LogDamaged(Exception error, string sweep);
}

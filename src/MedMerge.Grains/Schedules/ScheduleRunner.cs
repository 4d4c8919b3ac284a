using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Schedules;

/// <summary>
/// Carries out what a schedule decides. Any number of nodes may do so at a time, and die anywhere: a decision is kept on condition of the
/// record's ETag, and a run's sweep is created once under the run's own id.
/// </summary>
internal sealed partial class ScheduleRunner(
    ScheduleStore schedules,
    SweepStore sweeps,
    SchedulePlans plans,
    TimeProvider time,
    ILogger<ScheduleRunner> logger)
{
    /// <summary>Submits the sweeps of a schedule that are due.</summary>
    /// <exception cref="InvalidDataException">The schedule's record is damaged.</exception>
    /// <exception cref="InputException">This machine does not know the schedule's time zone.</exception>
    public async Task RunAsync(string name, CancellationToken cancellation)
    {
        if (await schedules.FindAsync(name, cancellation).ConfigureAwait(false) is not var (schedule, etag)) return;
        var now = time.GetUtcNow();
        if (!ScheduleDecision.IsNeeded(schedule, now)) return;
        var active = await sweeps.ActiveAsync(cancellation).ConfigureAwait(false);
        var decision = ScheduleDecision.Decide(schedule, now, active);
        if (!ReferenceEquals(decision.Decided, schedule))
        {
            if (!await schedules.TryReplaceAsync(decision.Decided, etag, cancellation).ConfigureAwait(false)) return; // another was faster
            Report(decision);
        }
        if (decision.Submit.Count == 0) return;
        foreach (var run in decision.Submit) await SubmitAsync(decision.Decided, run, cancellation).ConfigureAwait(false);
        await NoteAsync(name, decision.Submit, cancellation).ConfigureAwait(false);
    }

    private async Task SubmitAsync(Schedule schedule, ScheduledRun run, CancellationToken cancellation)
    {
        var id = run.SweepId(schedule.Name);
        if (await ExistsAsync(id, cancellation).ConfigureAwait(false)) return;
        var (specification, plan) = await plans.FindAsync(schedule, run, cancellation).ConfigureAwait(false);
        var trace = Spans.Write(Spans.Current);
        var record = SweepRecord.Start(schedule.Title, specification, plan, schedule.Inputs, [], time.GetUtcNow(), trace);
        var submitted = record with { Submitter = $"schedule {schedule.Name}" };
        await sweeps.TryCreateAsync(id, submitted, cancellation).ConfigureAwait(false);
    }

    private async Task<bool> ExistsAsync(string sweep, CancellationToken cancellation)
    {
        try
        {
            return await sweeps.ExistsAsync(sweep, cancellation).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            return true; // damaged; lists of sweeps say so
        }
    }

    /// <summary>Takes submitted runs off the queue, whatever else has changed in the record.</summary>
    private async Task NoteAsync(string name, IReadOnlyList<ScheduledRun> runs, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var updated = await schedules.UpdateAsync(name, record => record.Submitted(runs, now), cancellation).ConfigureAwait(false);
        if (updated is not var (before, after)) return; // removed meanwhile
        foreach (var run in before.Queue.Except(after.Queue))
        {
            Instruments.TimesDecided("fired", 1);
            LogFired(name, run.Time, run.SweepId(name));
        }
    }

    private void Report(ScheduleDecision decision)
    {
        var name = decision.Decided.Name;
        foreach (var skipped in decision.LeftOut.Where(item => item.Outcome == ScheduleOutcome.Skipped))
        {
            Instruments.TimesDecided("skipped", 1);
            LogSkipped(name, skipped.Run.Time);
        }
        if (decision.Missed == 0) return;
        Instruments.TimesDecided("missed", decision.Missed);
        LogMissed(name, decision.Missed, decision.LeftOut.Last(item => item.Outcome == ScheduleOutcome.Missed).Run.Time);
    }

    [LoggerMessage(LogLevel.Information, "Schedule {Schedule}: the run of {Time:u} was submitted as sweep {Sweep}.")]
    private partial void LogFired(string schedule, DateTimeOffset time, string sweep);

    [LoggerMessage(LogLevel.Warning, "Schedule {Schedule}: {Time:u} is skipped, because an earlier sweep of it has not ended.")]
    private partial void LogSkipped(string schedule, DateTimeOffset time);

    [LoggerMessage(LogLevel.Warning, "Schedule {Schedule}: {Count} times, the last at {Time:u}, were missed: no node ran then.")]
    private partial void LogMissed(string schedule, long count, DateTimeOffset time);
}

using MedMerge.Experiments.Benchmarks;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Benchmarks;

/// <summary>
/// Records the ended runs of a schedule, each once: any number of nodes may do so at a time, and die anywhere. The webhook of a flagged run
/// is noted before the run, so that it is not lost between the two.
/// </summary>
internal sealed partial class BenchmarkRecorder(
    BenchmarkStore benchmarks,
    BenchmarkReader reader,
    BenchmarkLease lease,
    WebhookStore webhooks,
    SweepStore sweeps,
    IOptions<BenchmarkOptions> options,
    TimeProvider time,
    ILogger<BenchmarkRecorder> logger)
{
    /// <summary>How many runs before say how much times vary.</summary>
    private const int NoiseRuns = 20;

    /// <summary>Records a sweep of a schedule, if it has ended and no other node is at it.</summary>
    /// <param name="benchmark">The schedule's name.</param>
    /// <param name="sweepId">A sweep's id that is not marked as active.</param>
    /// <returns>Whether the sweep was cancelled, and is not recorded unless it is resumed.</returns>
    public async Task<bool> RecordAsync(string benchmark, string sweepId, CancellationToken cancellation)
    {
        if (await sweeps.FindAsync(sweepId, cancellation).ConfigureAwait(false) is not { Record: var sweep }) return false;
        if (sweep.State is not (WorkState.Done or WorkState.Failed)) return sweep.State == WorkState.Cancelled;
        if (!await lease.TryTakeAsync(benchmark, cancellation).ConfigureAwait(false)) return false;
        try
        {
            var id = ScheduledRun.FindId(sweepId, benchmark)!;
            if (await benchmarks.FindAsync(benchmark, id, cancellation).ConfigureAwait(false) is null)
                await RecordAsync(benchmark, id, sweepId, sweep, cancellation).ConfigureAwait(false);
            return false;
        }
        finally
        {
            await lease.ReleaseAsync(benchmark, cancellation).ConfigureAwait(false);
        }
    }

    private async Task RecordAsync(string benchmark, string id, string sweepId, SweepRecord sweep, CancellationToken cancellation)
    {
        var before = await benchmarks.ReadBeforeAsync(benchmark, id, NoiseRuns, cancellation).ConfigureAwait(false);
        var last = before.FirstOrDefault();
        var read = await reader.ReadAsync(benchmark, id, sweepId, sweep, before, cancellation).ConfigureAwait(false);
        var verdict = await JudgeAsync(read, before, cancellation).ConfigureAwait(false);
        var run = read with
        {
            Verdict = verdict with { IsUnchanged = last is not null && BenchmarkComparison.IsUnchanged(read, last) },
        };
        if (run.Verdict.IsFlagged && options.Value.Webhook.IsSet)
            await webhooks.AddAsync(benchmark, id, time.GetUtcNow(), cancellation).ConfigureAwait(false);
        if (await benchmarks.TryCreateAsync(run, cancellation).ConfigureAwait(false)) Report(run);
    }

    private async Task<BenchmarkVerdict> JudgeAsync(
        BenchmarkRun run,
        IReadOnlyList<BenchmarkRun> before,
        CancellationToken cancellation)
    {
        var baseline = await benchmarks.FindAcceptedAsync(run.Benchmark, run.Id, cancellation).ConfigureAwait(false);
        var earlier = before.Where(old => !old.Verdict.IsFlagged).SelectMany(old => old.Verdict.Stages).ToList();
        try
        {
            return await reader.CompareAsync(run, baseline, earlier, options.Value.Slower, cancellation).ConfigureAwait(false);
        }
        catch (InvalidDataException error)
        {
            LogNotCompared(error, run.Benchmark, run.Id, baseline!.Id);
            var text = $"It can't be compared with {baseline.Id}: {error.Message}";
            var finding = new BenchmarkFinding(FindingKind.Incomparable, text);
            return new BenchmarkVerdict(baseline.Id, IsUnchanged: false, [], [], BenchmarkChanges.Find(baseline, run), [finding]);
        }
    }

    private void Report(BenchmarkRun run)
    {
        var verdict = run.Verdict;
        Instruments.BenchmarkRecorded(verdict.IsFlagged ? "flagged" : verdict.IsUnchanged ? "unchanged" : "passed");
        var baseline = verdict.Baseline ?? "none";
        var findings = string.Join(' ', verdict.Findings.Select(finding => finding.Text));
        if (verdict.IsFlagged) LogFlagged(run.Benchmark, run.Id, baseline, findings);
        else if (verdict.IsUnchanged) LogUnchanged(run.Benchmark, run.Id);
        else LogPassed(run.Benchmark, run.Id, baseline);
    }

    [LoggerMessage(LogLevel.Warning, "Benchmark {Benchmark}, run {Run} is flagged (compared with {Baseline}): {Findings}")]
    private partial void LogFlagged(string benchmark, string run, string baseline, string findings);

    [LoggerMessage(LogLevel.Information, "Benchmark {Benchmark}, run {Run} is unchanged: same data, settings and code.")]
    private partial void LogUnchanged(string benchmark, string run);

    [LoggerMessage(LogLevel.Information, "Benchmark {Benchmark}, run {Run} has no regression (compared with {Baseline}).")]
    private partial void LogPassed(string benchmark, string run, string baseline);

    [LoggerMessage(LogLevel.Error, "Benchmark {Benchmark}, run {Run} can't be compared with {Baseline}.")]
    private partial void LogNotCompared(Exception error, string benchmark, string run, string baseline);
}

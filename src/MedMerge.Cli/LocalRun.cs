using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>Runs a sweep on a cluster inside this process, and reads its results.</summary>
internal sealed class LocalRun(IObjectStore objects, int? lanes, SweepDisplay display)
{
    private readonly StageStore _stages = new(objects);

    /// <summary>Whether the silo's log is printed.</summary>
    public static bool HasLog => Environment.GetEnvironmentVariable("MEDMERGE_DEBUG") == "1";

    /// <summary>Runs every trial. Outputs in the store are reused, and damaged ones recomputed.</summary>
    /// <param name="device">What to compute on.</param>
    /// <param name="useResults">Called with the results.</param>
    /// <returns>All trials.</returns>
    public async Task<IReadOnlyList<TrialSummary>> RunAsync(
        Submission submission,
        PlanSummary plan,
        string device,
        Func<SweepResult, Task> useResults,
        CancellationToken cancellation)
    {
        using var exclusive = RunLock.Take(submission.Id, objects);
        await using var cluster = await StartClusterAsync(device, cancellation);
        var sweep = cluster.Grains.GetGrain<ISweepGrain>(submission.Id);
        var start = new StartSweep(submission.Name, submission.Specification, submission.Plan, []);
        await GrainCalls.AskAsync(() => sweep.StartAsync(start), cancellation);
        await GrainCalls.AskAsync(() => sweep.ResumeAsync(), cancellation);

        var repaired = new HashSet<string>();
        while (true)
        {
            var status = await display.RunAsync(() => WatchAsync(sweep, cancellation));
            if (status.State == WorkState.Failed) throw new InputException(status.Reason ?? "The sweep failed.");
            try
            {
                var trials = await ReadTrialsAsync(sweep, cancellation);
                await ReadResultsAsync(plan, trials, useResults, cancellation);
                return trials;
            }
            catch (MissingOutputException missing) when (repaired.Add(missing.Key))
            {
                await GrainCalls.AskAsync(() => sweep.RepairAsync(missing.Key), cancellation);
            }
        }
    }

    private Task<LocalCluster> StartClusterAsync(string device, CancellationToken cancellation) => LocalCluster.StartAsync(
        objects,
        device,
        HasLog,
        cancellation,
        TelemetryDefaults.IsWanted ? host => host.AddProcessTelemetry("medmerge") : null,
        lanes);

    private async Task ReadResultsAsync(
        PlanSummary plan,
        List<TrialSummary> trials,
        Func<SweepResult, Task> useResults,
        CancellationToken cancellation)
    {
        var finished = plan.Trials.Where(trial => trials[trial.Number - 1].State == WorkState.Done).ToList();
        if (finished.Count == 0) return;
        var missing = MissingStates.Find(plan.Trials, number => trials[number - 1].State);
        var result = await SweepResult.ReadAsync(plan, finished, missing, _stages, cancellation);
        await useResults(result);
    }

    private static async Task<List<TrialSummary>> ReadTrialsAsync(ISweepGrain sweep, CancellationToken cancellation)
    {
        var trials = new List<TrialSummary>();
        for (int? from = 1; from is { } number;)
        {
            var page = await GrainCalls.AskAsync(() => sweep.TrialsAsync(new TrialQuery(number)), cancellation);
            trials.AddRange(page.Trials);
            from = page.Next;
        }
        return trials;
    }

    private async Task<SweepStatus> WatchAsync(ISweepGrain sweep, CancellationToken cancellation)
    {
        var knownVersion = SweepStatus.NoVersion;
        var position = 0L;
        while (true)
        {
            var status = await GrainCalls.AskAsync(() => sweep.StatusAsync(knownVersion), cancellation);
            knownVersion = status.Version;
            if (status.HasEnded) return status;
            if (display.ShowsTrials) position = await ShowChangesAsync(sweep, position, cancellation);
            display.Show(status);
            if (status.State == WorkState.Running) await GrainCalls.AskAsync(() => sweep.WakeAsync(), cancellation);
        }
    }

    /// <summary>Gives the display the trials that have changed.</summary>
    /// <param name="position">After this position.</param>
    /// <returns>The position of the last change.</returns>
    private async Task<long> ShowChangesAsync(ISweepGrain sweep, long position, CancellationToken cancellation)
    {
        TrialPage page;
        do
        {
            var query = new TrialQuery(ChangedAfter: position);
            page = await GrainCalls.AskAsync(() => sweep.TrialsAsync(query), cancellation);
            display.Add(page.Trials);
            position = page.Position;
        }
        while (page.Trials.Count == TrialPage.MaxTrials);
        return position;
    }
}

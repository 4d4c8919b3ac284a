using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>Runs a specification on a cluster inside this process, and reads its results.</summary>
internal sealed class LocalRun(IObjectStore objects, ProgressLine line)
{
    private readonly StageStore _stages = new(objects);

    /// <summary>Runs every trial; what is in the store is not computed again, and what was damaged there is.</summary>
    /// <param name="read">Gives the files that the specification names.</param>
    /// <param name="use">Reads whatever is wanted of the results.</param>
    /// <returns>The trials that failed.</returns>
    public async Task<IReadOnlyList<TrialSummary>> RunAsync(Plan plan, FileReader read, Func<ScenarioResult, Task> use, CancellationToken cancellation)
    {
        var submission = await Submission.WriteAsync(plan.Specification, read, new ArtefactStore(objects), cancellation).ConfigureAwait(false);
        using var only = RunLock.Take(submission.Id, objects);
        var cluster = await LocalCluster.StartAsync(objects, plan.Specification.Device, Environment.GetEnvironmentVariable("MEDMERGE_DEBUG") == "1", cancellation,
            TelemetryDefaults.IsWanted ? host => host.AddProcessTelemetry("medmerge") : null).ConfigureAwait(false);
        await using (cluster.ConfigureAwait(false))
        {
            var sweep = cluster.Grains.GetGrain<ISweepGrain>(submission.Id);
            await sweep.StartAsync(new StartSweep(submission.Name, submission.Specification, [])).WaitAsync(cancellation).ConfigureAwait(false);
            await sweep.ResumeAsync().WaitAsync(cancellation).ConfigureAwait(false);
            for (var repaired = new HashSet<string>(); ;)
            {
                var status = await WatchAsync(sweep, cancellation).ConfigureAwait(false);
                if (status.State == WorkState.Failed) throw new InputException(status.Reason ?? "The sweep failed.");
                var finished = plan.Trials.Where(trial => status.Trials[trial.Number - 1].State == WorkState.Done).ToList();
                try
                {
                    if (finished.Count > 0) await use(await ScenarioResult.ReadAsync(plan, finished, _stages, cancellation).ConfigureAwait(false)).ConfigureAwait(false);
                    return [.. status.Trials.Where(trial => trial.State != WorkState.Done)];
                }
                catch (MissingOutputException missing) when (repaired.Add(missing.Stage.Key))
                {
                    await sweep.RepairAsync(missing.Stage.Key).WaitAsync(cancellation).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task<SweepStatus> WatchAsync(ISweepGrain sweep, CancellationToken cancellation)
    {
        var seen = -1L;
        try
        {
            while (true)
            {
                var status = await sweep.StatusAsync(seen).WaitAsync(cancellation).ConfigureAwait(false);
                seen = status.Version;
                if (status.HasEnded) return status;
                line.Show(status);
                if (status.State == WorkState.Running) await sweep.WakeAsync().WaitAsync(cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            line.End();
        }
    }
}

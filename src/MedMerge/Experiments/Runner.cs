using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments;

/// <summary>Runs a plan's trials one after the other, each stage once, going on from what the store holds.</summary>
/// <param name="progress">Hears of every stage and epoch.</param>
/// <param name="time">The clock behind the time left.</param>
public sealed class Runner(IStageStore store, DeviceThread device, Action<RunProgress> progress, TimeProvider time)
{
    /// <summary>Runs everything.</summary>
    public async Task<RunResult> RunAsync(Plan plan, CancellationToken cancellation)
    {
        var pace = new Pace(plan.Stages.Sum(stage => stage.Cost), time);
        var done = new HashSet<string>();
        var results = new List<TrialResult>();
        foreach (var trial in plan.Trials)
        {
            StageOutput? last = null;
            foreach (var stage in trial.Stages)
            {
                if (stage != trial.Evaluate && done.Contains(stage.Key)) continue;
                last = await RunStageAsync(plan, trial, stage, pace, cancellation).ConfigureAwait(false);
                done.Add(stage.Key);
            }
            var predictions = StageFiles.Read<HeldOutPredictions>(last!, StageFiles.Predictions);
            results.Add(new TrialResult(trial, predictions, await CertificateAsync(trial, cancellation).ConfigureAwait(false)));
        }
        return RunResult.Of(plan, results, cancellation);
    }

    /// <summary>A stage's output, from the store or computed, inputs first.</summary>
    public async Task<StageOutput> OutputAsync(Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation) =>
        await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false)
        ?? await ComputeAsync(stage, epochs, cancellation).ConfigureAwait(false);

    private async Task<Certificate?> CertificateAsync(Trial trial, CancellationToken cancellation) => trial.Merge is null
        ? null
        : StageFiles.Read<Certificate>(await OutputAsync(trial.Merge, (_, _) => { }, cancellation).ConfigureAwait(false), StageFiles.Certificate);

    private async Task<StageOutput> RunStageAsync(Plan plan, Trial trial, Stage stage, Pace pace, CancellationToken cancellation)
    {
        void Report(EpochRecord? epoch, int epochs) =>
            progress(new RunProgress(trial, plan.Trials.Count, stage, epoch, epochs, pace.Share, pace.Left));

        if (await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false) is { } kept)
        {
            pace.Kept(stage.Cost);
            return kept;
        }
        Report(null, 0);
        pace.Begin(stage.Cost);
        var output = await ComputeAsync(stage, (epoch, epochs) =>
        {
            pace.Within(epochs == 0 ? 1 : (double)epoch.Epoch / epochs);
            Report(epoch, epochs);
        }, cancellation).ConfigureAwait(false);
        pace.End();
        return output;
    }

    private async Task<StageOutput> ComputeAsync(Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        var inputs = new List<StageOutput>();
        foreach (var input in stage.Inputs)
        {
            // An input that was damaged or removed since is computed again.
            inputs.Add(await store.FindAsync(input.Key, cancellation).ConfigureAwait(false)
                       ?? await ComputeAsync(input, epochs, cancellation).ConfigureAwait(false));
        }
        var checkpoints = store.Checkpoints(stage.Key);
        var output = await stage.ExecuteAsync(inputs, new StageContext(device, checkpoints, epochs), cancellation).ConfigureAwait(false);
        await store.SaveAsync(stage.Key, stage.Name, output, cancellation).ConfigureAwait(false);
        await checkpoints.ClearAsync(cancellation).ConfigureAwait(false);
        return output;
    }
}

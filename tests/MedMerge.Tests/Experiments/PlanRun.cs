using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary>Runs a plan of one scenario, trial by trial, on one device.</summary>
internal static class PlanRun
{
    public static async Task<ScenarioResult> RunAsync(
        Plan plan,
        IStageStore store,
        Action<EpochRecord>? onEpoch = null,
        Action<string, string>? onWarning = null,
        CancellationToken? cancellation = null)
    {
        await using var device = new DeviceThread(TestDevice.Name, plan.Specification.Settings.Threads);
        var runner = new StageRunner(
            store,
            device,
            (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)),
            onWarning: onWarning);
        var token = TestContext.Current.CancellationToken;
        foreach (var trial in plan.Trials)
            await runner.OutputAsync(trial.Predictions, (epoch, _) => onEpoch?.Invoke(epoch), cancellation ?? token);
        var summary = PlanSummary.Read(PlanSummary.Of(plan).Write());
        var missing = new Dictionary<int, MissingState>();
        return (await SweepResult.ReadAsync(summary, summary.Trials, missing, store, token)).Scenarios.Single();
    }
}

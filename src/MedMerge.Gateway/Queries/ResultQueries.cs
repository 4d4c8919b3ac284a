using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Gateway.Queries;

/// <summary>Results of a sweep's finished trials, read from the store without building a plan or loading a data set.</summary>
internal sealed class ResultQueries(SweepStore sweeps, PlanSummaries plans, StageStore stages)
{
    /// <summary>The comparison so far, without scenarios that have no result yet.</summary>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public async Task<SweepResult> GetResultsAsync(string id, CancellationToken cancellation)
    {
        var (record, plan) = await GetAsync(id, cancellation);
        var failed = record.Trials.Index().Where(trial => trial.Item.HasFailed).Select(trial => trial.Index + 1).ToHashSet();
        return await SweepResult.ReadAsync(plan, GetFinished(record, plan), failed, stages, cancellation);
    }

    /// <summary>The scenarios that have a finished trial.</summary>
    public async Task<IReadOnlyList<ScenarioFolder>> ListScenariosAsync(string id, CancellationToken cancellation)
    {
        var (plan, finished) = await GetFinishedAsync(id, cancellation);
        return OutputFiles.GetScenarios(plan, finished);
    }

    /// <summary>The files that finished trials export.</summary>
    public async Task<IReadOnlyList<ExportedFile>> ListModelsAsync(string id, CancellationToken cancellation)
    {
        var (plan, finished) = await GetFinishedAsync(id, cancellation);
        return [.. OutputFiles.GetModels(plan, finished)];
    }

    /// <summary>A file's bytes.</summary>
    /// <exception cref="MissingOutputException">It is missing or damaged.</exception>
    public Task<byte[]> ReadAsync(ExportedFile file, CancellationToken cancellation) =>
        stages.GetFileAsync(file.Stage, file.Artefact, cancellation);

    private async Task<(PlanSummary Plan, IReadOnlyList<PlannedTrial> Finished)> GetFinishedAsync(string id, CancellationToken cancellation)
    {
        var (record, plan) = await GetAsync(id, cancellation);
        return (plan, GetFinished(record, plan));
    }

    private async Task<(SweepRecord Record, PlanSummary Plan)> GetAsync(string id, CancellationToken cancellation)
    {
        var (record, _) = await sweeps.FindAsync(id, cancellation) ?? throw new KeyNotFoundException($"There is no sweep '{id}'.");
        return (record, await plans.GetAsync(record, cancellation));
    }

    private static List<PlannedTrial> GetFinished(SweepRecord record, PlanSummary plan) =>
        [.. plan.Trials.Zip(record.Trials).Where(pair => pair.Second.State == WorkState.Done).Select(pair => pair.First)];
}

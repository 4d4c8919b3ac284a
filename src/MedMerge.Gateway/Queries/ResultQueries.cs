using System.Text;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Gateway.Connections;
using MedMerge.Grains;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Gateway.Queries;

/// <summary>
/// Results of a sweep's finished trials, read from the store without building a plan or loading a data set. An output that is missing or
/// damaged is recomputed by the cluster.
/// </summary>
internal sealed partial class ResultQueries(
    SweepStore sweeps,
    PlanSummaries plans,
    StageStore stages,
    ResultCache results,
    ClusterConnection cluster,
    ILogger<ResultQueries> logger)
{
    /// <summary>A scenario's comparison so far. Other scenarios are not read, and the same trials are not compared twice.</summary>
    /// <param name="name">The scenario's name.</param>
    /// <exception cref="InputException">No scenario of that name has a result.</exception>
    /// <exception cref="NotReadyException">No trial has a result yet, or an output is being recomputed.</exception>
    public async Task<ScenarioResult> GetScenarioAsync(string id, string name, CancellationToken cancellation)
    {
        var (record, plan, finished) = await GetFinishedAsync(id, cancellation);
        return await CompareAsync(id, record, plan, finished, ChooseScenario(id, name, plan, finished), cancellation);
    }

    /// <summary>
    /// All scenarios' comparisons so far, and what they say together. They are read one after the other, and of each only what is shown
    /// and compared stays in memory.
    /// </summary>
    /// <exception cref="NotReadyException">No trial has a result yet, or an output is being recomputed.</exception>
    public async Task<SweepResult> GetSweepAsync(string id, CancellationToken cancellation)
    {
        var (record, plan, finished) = await GetFinishedAsync(id, cancellation);
        if (finished.Count == 0) throw CreateNotReady(id);
        var planned = plan.Trials.ToLookup(trial => trial.Scenario);
        var scenarios = new Dictionary<int, ScenarioResult>();
        foreach (var trials in finished.GroupBy(trial => trial.Scenario).OrderBy(trials => trials.Key))
        {
            var missing = FindMissing(record, planned[trials.Key]);
            scenarios[trials.Key] = await GetScenarioAsync(id, record, plan, [.. trials], missing, cancellation);
        }
        var withoutResult = FindMissing(record, plan.Trials);
        return await RepairAsync(
            id,
            () => SweepResult.CreateAsync(plan, scenarios, withoutResult, stages, cancellation),
            cancellation);
    }

    /// <summary>The scenarios that have a finished trial.</summary>
    public async Task<IReadOnlyList<ScenarioFolder>> ListScenariosAsync(string id, CancellationToken cancellation)
    {
        var (_, plan, finished) = await GetFinishedAsync(id, cancellation);
        return OutputFiles.GetScenarios(plan, finished);
    }

    /// <summary>The names of the files that finished trials export, and of the texts about their models.</summary>
    public async Task<IReadOnlyList<string>> ListFilesAsync(string id, CancellationToken cancellation)
    {
        var (_, plan, finished) = await GetFinishedAsync(id, cancellation);
        var models = OutputFiles.GetModels(plan, finished).Select(model => model.Name);
        return [.. models, .. OutputFiles.GetDocuments(plan, finished).Select(document => document.Name)];
    }

    /// <summary>The bytes of one of <see cref="ListFilesAsync"/>; null if none has that name.</summary>
    /// <exception cref="NotReadyException">It, or what it is written from, is being recomputed.</exception>
    public async Task<byte[]?> FindFileAsync(string id, string name, CancellationToken cancellation)
    {
        var (record, plan, finished) = await GetFinishedAsync(id, cancellation);
        if (OutputFiles.GetModels(plan, finished).FirstOrDefault(model => model.Name == name) is { } model)
            return await RepairAsync(id, () => stages.GetFileAsync(model.Stage, model.Artefact, cancellation), cancellation);
        if (OutputFiles.GetDocuments(plan, finished).FirstOrDefault(document => document.Name == name) is not { } found) return null;
        var result = await CompareAsync(id, record, plan, finished, found.Trial.Scenario, cancellation);
        return Encoding.UTF8.GetBytes(found.WriteFrom(result));
    }

    /// <summary>A sweep's plan: its scenarios, the notes on them, and the text that it was submitted as.</summary>
    public async Task<PlanSummary> GetPlanAsync(string id, CancellationToken cancellation) =>
        (await GetFinishedAsync(id, cancellation)).Plan;

    /// <summary>A trial with all that is known of it; null where the plan has none of that number.</summary>
    public async Task<TrialView?> FindTrialAsync(string id, int number, CancellationToken cancellation)
    {
        var (record, plan, finished) = await GetFinishedAsync(id, cancellation);
        if (plan.Trials.FirstOrDefault(trial => trial.Number == number) is not { } trial) return null;
        var stored = record.Trials.Count == 0 ? TrialRecord.Unknown : record.Trials.Get(number);
        if (!finished.Contains(trial)) return new TrialView(record, plan, trial, stored, Result: null, []);
        var result = await RepairAsync(id, () => ReadTrialAsync(trial), cancellation);
        var models = OutputFiles.GetModels(plan, [trial]).Select(file => file.Name);
        var documents = OutputFiles.GetDocuments(plan, [trial]).Select(file => file.Name);
        return new TrialView(record, plan, trial, stored, result, [.. models, .. documents]);
    }

    private async Task<TrialResult> ReadTrialAsync(PlannedTrial trial)
    {
        var result = await SweepResult.ReadTrialAsync(trial, stages, CancellationToken.None);
        return (await TrainingReader.AddAsync([result], stages, CancellationToken.None)).Single();
    }

    /// <param name="scenario">Its position in the plan.</param>
    private Task<ScenarioResult> CompareAsync(
        string id,
        SweepRecord record,
        PlanSummary plan,
        IReadOnlyList<PlannedTrial> finished,
        int scenario,
        CancellationToken cancellation)
    {
        PlannedTrial[] trials = [.. finished.Where(trial => trial.Scenario == scenario)];
        var missing = FindMissing(record, plan.Trials.Where(trial => trial.Scenario == scenario));
        return GetScenarioAsync(id, record, plan, trials, missing, cancellation);
    }

    /// <param name="trials">The scenario's trials that have a result.</param>
    /// <param name="missing">Its trials that ended without one.</param>
    private Task<ScenarioResult> GetScenarioAsync(
        string id,
        SweepRecord record,
        PlanSummary plan,
        PlannedTrial[] trials,
        IReadOnlyDictionary<int, MissingState> missing,
        CancellationToken cancellation) => RepairAsync(
        id,
        () => results.GetAsync(
            GetKey(record.Plan, trials, missing),
            () => SweepResult.ReadScenarioAsync(plan, trials[0].Scenario, trials, missing, stages, CancellationToken.None)),
        cancellation);

    private static Dictionary<int, MissingState> FindMissing(SweepRecord record, IEnumerable<PlannedTrial> trials) =>
        MissingStates.Find(trials, number => record.Trials.Get(number).State);

    private static NotReadyException CreateNotReady(string id) => new($"No trial of '{id}' has a result yet.");

    /// <returns>The scenario's position in the plan.</returns>
    private static int ChooseScenario(
        string id,
        string name,
        PlanSummary plan,
        IReadOnlyList<PlannedTrial> finished)
    {
        if (finished.Count == 0) throw CreateNotReady(id);
        var known = finished.Select(trial => trial.Scenario).Distinct().Order().ToList();
        var position = known.FindIndex(scenario => plan.Scenarios[scenario].Name == name);
        if (position >= 0) return known[position];
        throw new InputException(
            (name.Length == 0 ? "Name a scenario" : $"There is no result of a scenario '{name}'. Name another") +
            " with ?scenario=: " +
            $"{string.Join(", ", known.Select(scenario => $"'{plan.Scenarios[scenario].Name}'"))}.");
    }

    /// <summary>
    /// Outputs follow from the plan, also those that are computed again; so the plan and the numbers of the trials name a result.
    /// </summary>
    private static string GetKey(
        string planHash,
        IEnumerable<PlannedTrial> finished,
        IReadOnlyDictionary<int, MissingState> missing)
    {
        var done = finished.Select(trial => trial.Number);
        var others = missing.OrderBy(trial => trial.Key).Select(trial => $"{trial.Key} {trial.Value}");
        return ContentHash.Of($"{planHash}: {string.Join(' ', done)}, {string.Join(' ', others)}");
    }

    /// <summary>Reads outputs; if one is missing or damaged, has it recomputed.</summary>
    private async Task<T> RepairAsync<T>(string id, Func<Task<T>> read, CancellationToken cancellation)
    {
        try
        {
            return await read().WaitAsync(cancellation);
        }
        catch (MissingOutputException missing)
        {
            LogMissing(missing, missing.Key, id);
            var status = await cluster.Sweep(id).RepairAsync(missing.Key).WaitAsync(cancellation);
            var follows = status.State == WorkState.Running
                ? "is being recomputed. Try again when the sweep has ended."
                : "will be recomputed once the sweep is resumed.";
            throw new NotReadyException($"An output of '{id}' was lost or damaged and {follows}", missing);
        }
    }

    private async Task<(SweepRecord Record, PlanSummary Plan, IReadOnlyList<PlannedTrial> Finished)> GetFinishedAsync(
        string id,
        CancellationToken cancellation)
    {
        var (record, _) = await sweeps.FindAsync(id, cancellation) ?? throw new KeyNotFoundException($"There is no sweep '{id}'.");
        var plan = await plans.GetAsync(record, cancellation);
        var finished = record.Trials.Count == 0
            ? []
            : plan.Trials.Where(trial => record.Trials.Get(trial.Number).State == WorkState.Done);
        return (record, plan, [.. finished]);
    }

    [LoggerMessage(LogLevel.Warning, "The output of stage {Stage} of sweep {Sweep} is missing or damaged.")]
    private partial void LogMissing(Exception error, string stage, string sweep);
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge.Experiments.Results;

/// <summary>The results of a sweep's finished trials.</summary>
/// <param name="Scenarios">The plan's scenarios that have a finished trial.</param>
/// <param name="Missing">Why trials have no result, by number; those that are not here and have none are not finished.</param>
internal sealed record SweepResult(
    PlanSummary Plan,
    IReadOnlyList<ScenarioResult> Scenarios,
    IReadOnlyDictionary<int, MissingState> Missing)
{
    /// <summary>What several scenarios say together; null where there is one.</summary>
    public SweepComparison? Comparison =>
        SweepComparison.Of(Searches.Count == 0 ? Scenarios : [.. Searches.Select(search => search.Best)]);

    /// <summary>The names of scenarios none of whose trials has a result, but for those that a search has stopped.</summary>
    public IReadOnlyList<string> WithoutResult
    {
        get
        {
            var known = Scenarios.Select(result => result.Scenario.Name).ToHashSet();
            var trials = Plan.Trials.ToLookup(trial => trial.Scenario);
            bool IsStopped(PlannedTrial trial) => Missing.GetValueOrDefault(trial.Number) == MissingState.StoppedEarly;
            return
            [
                .. Plan.Scenarios.Index()
                    .Where(scenario => !known.Contains(scenario.Item.Name) && !trials[scenario.Index].All(IsStopped))
                    .Select(scenario => scenario.Item.Name),
            ];
        }
    }

    /// <summary>What a search has chosen, for each target and set of sources; none where nothing was searched.</summary>
    public IReadOnlyList<SearchResult> Searches { get; private init; } = [];

    /// <summary>The results of scenarios that were compared.</summary>
    /// <param name="scenarios">By their positions in the plan.</param>
    /// <inheritdoc cref="ReadAsync" path="/param[@name='missing']" />
    /// <exception cref="MissingOutputException">An output of what a search has chosen is missing or damaged.</exception>
    public static async Task<SweepResult> CreateAsync(
        PlanSummary plan,
        IReadOnlyDictionary<int, ScenarioResult> scenarios,
        IReadOnlyDictionary<int, MissingState> missing,
        IStageStore store,
        CancellationToken cancellation) => new(plan, [.. scenarios.OrderBy(one => one.Key).Select(one => one.Value)], missing)
        {
            Searches = plan.IsSearch
                ? await SearchResult.ReadAllAsync(plan, scenarios, store, cancellation).ConfigureAwait(false)
                : [],
        };

    /// <summary>Reads the outputs of finished trials, and compares the methods of each scenario.</summary>
    /// <param name="finished">Trials whose outputs are in the store.</param>
    /// <param name="missing">As <see cref="Missing"/>.</param>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<SweepResult> ReadAsync(
        PlanSummary plan,
        IReadOnlyCollection<PlannedTrial> finished,
        IReadOnlyDictionary<int, MissingState> missing,
        IStageStore store,
        CancellationToken cancellation)
    {
        var scenarios = new Dictionary<int, ScenarioResult>();
        foreach (var scenario in finished.Select(trial => trial.Scenario).Distinct().Order())
            scenarios[scenario] = await ReadScenarioAsync(plan, scenario, finished, missing, store, cancellation).ConfigureAwait(false);
        return await CreateAsync(plan, scenarios, missing, store, cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads the outputs of a scenario's finished trials, and compares its methods. Other scenarios are not read.</summary>
    /// <param name="scenario">Its position in the plan.</param>
    /// <inheritdoc cref="ReadAsync" path="/param[@name='finished' or @name='missing']" />
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<ScenarioResult> ReadScenarioAsync(
        PlanSummary plan,
        int scenario,
        IReadOnlyCollection<PlannedTrial> finished,
        IReadOnlyDictionary<int, MissingState> missing,
        IStageStore store,
        CancellationToken cancellation)
    {
        var results = new List<TrialResult>();
        foreach (var trial in finished.Where(trial => trial.Scenario == scenario))
            results.Add(await ReadTrialAsync(trial, store, cancellation).ConfigureAwait(false));
        results = await AddProbesAsync(plan, results, store, cancellation).ConfigureAwait(false);
        results = await TrainingReader.AddAsync(results, store, cancellation).ConfigureAwait(false);
        var done = results.Select(result => result.Trial.Number).ToHashSet();
        var withoutResult = plan.Trials
            .Where(trial => trial.Scenario == scenario && !done.Contains(trial.Number))
            .Select(trial => new MissingTrial(trial, missing.GetValueOrDefault(trial.Number)));
        var choice = await FindAnchorAsync(plan.Scenarios[scenario], store, cancellation).ConfigureAwait(false);
        return ScenarioResult.Compare(plan.Scenarios[scenario], results, [.. withoutResult], cancellation) with { AnchorChoice = choice };
    }

    private static async Task<AnchorChoice?> FindAnchorAsync(
        ScenarioSummary scenario,
        IStageStore store,
        CancellationToken cancellation)
    {
        if (scenario.AnchorChoice is not { } stage) return null;
        var file = await store.FindFileAsync(stage, StageFiles.ChosenAnchor, cancellation).ConfigureAwait(false);
        return file is null ? null : StageFiles.Read<AnchorChoice>(file, StageFiles.ChosenAnchor);
    }

    /// <summary>Adds how well the trials' linear probes converged. Trials share probes, and each is read once.</summary>
    private static async Task<List<TrialResult>> AddProbesAsync(
        PlanSummary plan,
        IReadOnlyList<TrialResult> results,
        IStageStore store,
        CancellationToken cancellation)
    {
        var gradients = new Dictionary<string, double?>();
        var added = new List<TrialResult>();
        foreach (var result in results)
        {
            double? largest = null;
            foreach (var probe in plan.GetStages(result.Trial).Where(stage => stage.Name == ProbeStage.StageName))
            {
                if (!gradients.TryGetValue(probe.Key, out var gradient))
                    gradients[probe.Key] = gradient = await ReadGradientAsync(probe.Key).ConfigureAwait(false);
                if (gradient is not null && !(gradient <= largest)) largest = gradient;
            }
            added.Add(result with { ProbeGradient = largest });
        }
        return added;

        // A probe is not needed once its trial has ended, so one that was lost is no reason to compute it again.
        async Task<double?> ReadGradientAsync(string stage)
        {
            var file = await store.FindFileAsync(stage, StageFiles.Head, cancellation).ConfigureAwait(false);
            return file is null ? null : StageFiles.Read<Head>(file, StageFiles.Head).RemainingGradient;
        }
    }

    /// <summary>Reads the outputs of one finished trial.</summary>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<TrialResult> ReadTrialAsync(
        PlannedTrial trial,
        IStageStore store,
        CancellationToken cancellation)
    {
        var predictions = await ReadAsync<HeldOutPredictions>(trial.Predictions, StageFiles.Predictions).ConfigureAwait(false);
        var certificate = await FindAsync<Certificate>(OutputRole.Certificate).ConfigureAwait(false);
        var rate = await FindAsync<LearningRateChoice>(OutputRole.LearningRate).ConfigureAwait(false);
        var selection = await FindAsync<ModelSelection>(OutputRole.Selection).ConfigureAwait(false);
        return new TrialResult(trial, predictions, certificate, rate) { Selection = selection };

        async Task<T?> FindAsync<T>(OutputRole role) where T : class => trial.FindOutput(role) is { } found
            ? await ReadAsync<T>(found.Stage, found.Artefact).ConfigureAwait(false)
            : null;

        async Task<T> ReadAsync<T>(string stage, string name) =>
            StageFiles.Read<T>(await store.GetFileAsync(stage, name, cancellation).ConfigureAwait(false), name);
    }
}

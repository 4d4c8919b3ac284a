using System.Text.Json;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Statistics;

namespace MedMerge.Storage.Benchmarks;

/// <summary>Reads what a benchmark keeps of an ended sweep, and compares two runs.</summary>
internal sealed class BenchmarkReader(ArtefactStore artefacts, StageStore stages, PlanSummaries plans)
{
    private const int ParallelReads = 8;
    private static readonly BenchmarkVerdict NoVerdict = new(null, IsUnchanged: false, [], [], [], []);

    /// <summary>Reads a run. Its verdict is that of a first one.</summary>
    /// <param name="before">The runs before it, newest first: what it shares with the last is not read again.</param>
    public async Task<BenchmarkRun> ReadAsync(
        string benchmark,
        string id,
        string sweepId,
        SweepRecord sweep,
        IReadOnlyList<BenchmarkRun> before,
        CancellationToken cancellation)
    {
        var last = before.FirstOrDefault();
        var plan = await FindPlanAsync(sweep, cancellation).ConfigureAwait(false);
        var scores = last?.Scenarios
            .SelectMany(scenario => scenario.Rows.SelectMany(row => row.Trials.Select(trial => (scenario.Metric, trial))))
            .ToLookup(found => (found.Metric, found.trial.Predictions), found => found.trial.Score);
        var recipes = plan?.Stages.ToDictionary(stage => stage.Key, stage => stage.Recipe) ?? [];
        var scenarios = new List<BenchmarkScenario>();
        foreach (var (index, scenario) in (plan?.Scenarios ?? []).Index())
        {
            var rows = new List<BenchmarkRow>();
            foreach (var row in plan!.Trials.Where(trial => trial.Scenario == index).GroupBy(trial => trial.Row))
            {
                var trials = new List<BenchmarkTrial>();
                foreach (var trial in row.Where(trial => IsDone(sweep, trial)))
                    if (await ReadTrialAsync(trial, scenario.Settings.Metric, scores, cancellation).ConfigureAwait(false) is { } read)
                        trials.Add(read);
                var score = trials.Count == 0 ? null : Interval.OfMean([.. trials.Select(trial => trial.Score)]);
                var planned = row.Count(trial => !IsStoppedEarly(sweep, trial)); // a search stops most, and that is no failure
                rows.Add(new BenchmarkRow(row.Key.Title, planned, score, trials));
            }
            scenarios.Add(Describe(scenario, recipes, rows));
        }
        var timed = await ReadTimingsAsync(plan, cancellation).ConfigureAwait(false);
        var known = await ReadComputedAsync(before, cancellation).ConfigureAwait(false);
        var list = await artefacts.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(timed), cancellation).ConfigureAwait(false);
        return new BenchmarkRun(
            benchmark,
            id,
            sweepId,
            sweep.Name,
            CodePackages.Current,
            sweep.Specification,
            sweep.Plan,
            scenarios,
            list,
            Summarise(timed, known),
            sweep.State == WorkState.Failed ? sweep.Reason ?? "no reason is known" : null,
            NoVerdict)
        {
            Work = plan is null ? null : ContentHash.Of(string.Join('\n', plan.Trials.Select(trial => recipes[trial.Predictions]))),
        };
    }

    /// <summary>Compares a run with an earlier one.</summary>
    /// <param name="earlier">What unflagged runs have found about the times of stages.</param>
    /// <param name="slower">By what share a kind of stages may be slower.</param>
    public async Task<BenchmarkVerdict> CompareAsync(
        BenchmarkRun run,
        BenchmarkRun? baseline,
        IReadOnlyList<StageChange> earlier,
        double slower,
        CancellationToken cancellation)
    {
        if (baseline is null) return BenchmarkComparison.Judge(run, null, [], [], slower);
        var scores = new List<ScoreChange>();
        foreach (var row in ScoreChanges.FindPairs(baseline, run))
        {
            var before = await ReadPredictionsAsync(row.Trials.Select(pair => pair.Before), cancellation).ConfigureAwait(false);
            var after = await ReadPredictionsAsync(row.Trials.Select(pair => pair.After), cancellation).ConfigureAwait(false);
            scores.Add(ScoreChanges.Compare(row, before, after, cancellation));
        }
        var times = StageChanges.Compare(
            await ReadStagesAsync(baseline, cancellation).ConfigureAwait(false),
            await ReadStagesAsync(run, cancellation).ConfigureAwait(false),
            earlier);
        return BenchmarkComparison.Judge(run, baseline, scores, times, slower);
    }

    private static bool IsDone(SweepRecord sweep, PlannedTrial trial) => HasState(sweep, trial, WorkState.Done);

    private static bool IsStoppedEarly(SweepRecord sweep, PlannedTrial trial) => HasState(sweep, trial, WorkState.StoppedEarly);

    private static bool HasState(SweepRecord sweep, PlannedTrial trial, WorkState state) =>
        trial.Number <= sweep.Trials.Count && sweep.Trials.Get(trial.Number).State == state;

    private static BenchmarkScenario Describe(
        ScenarioSummary scenario,
        Dictionary<string, string> recipes,
        IReadOnlyList<BenchmarkRow> rows) => new(
        scenario.Name,
        scenario.Target.Title,
        scenario.Target.Sha256,
        scenario.Settings.Metric,
        scenario.Sources.ToDictionary(source => source.Name, source => recipes.GetValueOrDefault(source.Stage, source.Stage)),
        SettingTable.All.ToDictionary(setting => setting.Path, setting => setting.GetValue(scenario.Settings)?.ToString() ?? ""),
        rows);

    private static IReadOnlyList<BenchmarkStageKind> Summarise(
        IReadOnlyList<BenchmarkStage> stages,
        HashSet<(string Key, StageTiming? Timing)> known) =>
        [.. stages.GroupBy(stage => stage.Kind, (kind, all) =>
        {
            var list = all.ToList();
            var computed = list.Where(stage => !known.Contains((stage.Key, stage.Timing))).ToList();
            return new BenchmarkStageKind(kind, list.Count, computed.Count, computed.Sum(stage => stage.Timing?.DeviceSeconds ?? 0));
        })];

    /// <summary>The computations of earlier runs. One with other seconds is another computation of the same stage.</summary>
    private async Task<HashSet<(string Key, StageTiming? Timing)>> ReadComputedAsync(
        IReadOnlyList<BenchmarkRun> runs,
        CancellationToken cancellation)
    {
        var known = new HashSet<(string Key, StageTiming? Timing)>();
        foreach (var run in runs.DistinctBy(run => run.Stages))
        {
            if (await artefacts.ReadAsync(run.Stages, cancellation).ConfigureAwait(false) is not { } content) continue;
            known.UnionWith(ReadStages(content).Select(stage => (stage.Key, stage.Timing)));
        }
        return known;
    }

    /// <summary>The plan of a sweep; null for a failed one whose plan can't be read.</summary>
    private async Task<PlanSummary?> FindPlanAsync(SweepRecord sweep, CancellationToken cancellation)
    {
        try
        {
            return await plans.GetAsync(sweep, cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (sweep.State == WorkState.Failed && error is InputException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>A trial's result; null where it is missing or damaged by now.</summary>
    private async Task<BenchmarkTrial?> ReadTrialAsync(
        PlannedTrial trial,
        Metric metric,
        ILookup<(Metric Metric, string Predictions), double>? known,
        CancellationToken cancellation)
    {
        var hash = await stages.FindArtefactAsync(trial.Predictions, StageFiles.Predictions, cancellation).ConfigureAwait(false);
        if (hash is null) return null;
        if (known?[(metric, hash)].ToList() is [var score, ..]) return new BenchmarkTrial(trial.Seed, hash, score);
        if (await artefacts.RenewAsync(hash, cancellation).ConfigureAwait(false) is not { } content) return null;
        var predictions = StageFiles.Read<HeldOutPredictions>(content, StageFiles.Predictions);
        return new BenchmarkTrial(trial.Seed, hash, Scores.Of(predictions.Test).Get(metric));
    }

    private async Task<List<BenchmarkStage>> ReadTimingsAsync(PlanSummary? plan, CancellationToken cancellation)
    {
        if (plan is null) return [];
        var all = BenchmarkStage.ListAll(plan).ToList();
        var timed = new List<BenchmarkStage>();
        foreach (var some in all.Chunk(ParallelReads)) timed.AddRange(await Task.WhenAll(some.Select(ReadAsync)).ConfigureAwait(false));
        return timed;

        async Task<BenchmarkStage> ReadAsync(BenchmarkStage stage) =>
            stage with { Timing = await stages.FindTimingAsync(stage.Key, cancellation).ConfigureAwait(false) };
    }

    private async Task<IReadOnlyList<BenchmarkStage>> ReadStagesAsync(BenchmarkRun run, CancellationToken cancellation)
    {
        var content = await ReadArtefactAsync(run.Stages, cancellation).ConfigureAwait(false);
        return ReadStages(content);
    }

    private static List<BenchmarkStage> ReadStages(byte[] content) => JsonSerializer.Deserialize<List<BenchmarkStage>>(content)!;

    private async Task<IReadOnlyList<Predictions>> ReadPredictionsAsync(
        IEnumerable<BenchmarkTrial> trials,
        CancellationToken cancellation)
    {
        var found = new List<Predictions>();
        foreach (var trial in trials)
        {
            var content = await ReadArtefactAsync(trial.Predictions, cancellation).ConfigureAwait(false);
            found.Add(StageFiles.Read<HeldOutPredictions>(content, StageFiles.Predictions).Test);
        }
        return found;
    }

    private async Task<byte[]> ReadArtefactAsync(string hash, CancellationToken cancellation) =>
        await artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false)
        ?? throw new InvalidDataException($"The artefact {hash} of a benchmark's run is missing in the store or damaged.");
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>The candidate that a search has chosen for a row.</summary>
/// <param name="Scenario">The candidate's name.</param>
/// <param name="Validation">Its mean score on the validation split.</param>
/// <param name="Finished">How many candidates have run to their end.</param>
/// <param name="Candidates">How many there are.</param>
internal sealed record ChosenCandidate(MethodRow Row, string Scenario, double Validation, int Finished, int Candidates);

/// <summary>
/// A search on one target and one set of sources: every row's best candidate on the validation split, compared on the test split. Every row
/// has as many candidates.
/// </summary>
/// <param name="Best">The rows' best candidates as one scenario; its settings are the first candidate's.</param>
/// <param name="Chosen">One for each row.</param>
internal sealed record SearchResult(ScenarioResult Best, IReadOnlyList<ChosenCandidate> Chosen)
{
    /// <summary>Chooses, and reads the predictions of what was chosen.</summary>
    /// <param name="scenarios">The results of the plan's scenarios, by their positions.</param>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<IReadOnlyList<SearchResult>> ReadAllAsync(
        PlanSummary plan,
        IReadOnlyDictionary<int, ScenarioResult> scenarios,
        IStageStore store,
        CancellationToken cancellation)
    {
        var searches = new List<SearchResult>();
        foreach (var arena in plan.GetArenas())
        {
            var candidates = arena.Where(scenarios.ContainsKey).Select(scenario => scenarios[scenario]).ToList();
            if (candidates.Count > 0)
                searches.Add(await ReadAsync(candidates, arena.Count, store, cancellation).ConfigureAwait(false));
        }
        return searches;
    }

    private static async Task<SearchResult> ReadAsync(
        IReadOnlyList<ScenarioResult> candidates,
        int count,
        IStageStore store,
        CancellationToken cancellation)
    {
        var first = candidates[0].Scenario;
        string[] order = [.. MethodRegistry.All.Select(method => method.Name)];
        var names = first.Sources.Select(source => source.Name).ToList();
        var chosen = new List<ChosenCandidate>();
        var trials = new List<TrialResult>();
        var rows = candidates
            .SelectMany(candidate => candidate.Trials)
            .GroupBy(trial => trial.Trial.Row)
            .OrderBy(row => Array.IndexOf(order, row.Key.Method.Name))
            .ThenBy(row => row.Key.Source is { } source ? names.IndexOf(source) : 0);
        foreach (var row in rows)
        {
            var (candidate, score, finished) = Choose(candidates, row.Key);
            chosen.Add(new ChosenCandidate(row.Key, candidate.Scenario.Name, score, finished, count));
            foreach (var trial in candidate.Trials.Where(trial => trial.Trial.Row == row.Key))
            {
                var key = trial.Trial.Predictions;
                var file = await store.GetFileAsync(key, StageFiles.Predictions, cancellation).ConfigureAwait(false);
                trials.Add(trial with { Predictions = StageFiles.Read<HeldOutPredictions>(file, StageFiles.Predictions) });
            }
        }
        var sources = string.Join(" and ", first.Sources.Select(source => source.Name));
        var title = first with { Name = $"best of {count} candidates: {first.Target.Name}, {sources}" };
        return new SearchResult(ScenarioResult.Compare(title, trials, missing: [], cancellation), chosen);
    }

    /// <summary>The best candidate of those that have a result for every seed, or of all where none has; of equal ones the first.</summary>
    private static (ScenarioResult Candidate, double Score, int Finished) Choose(IReadOnlyList<ScenarioResult> candidates, MethodRow row)
    {
        var finished = candidates
            .Select(candidate => (Candidate: candidate, Trials: candidate.Trials.Where(trial => trial.Trial.Row == row).ToList()))
            .Where(candidate => candidate.Trials.Count > 0)
            .ToList();
        var whole = finished.Where(candidate => candidate.Trials.Count == candidate.Candidate.Scenario.Seeds.Count).ToList();
        var (best, score) = (whole.Count > 0 ? whole : finished)
            .Select(candidate => (candidate.Candidate, Score: Score(candidate.Trials, candidate.Candidate.Metric)))
            .MaxBy(candidate => candidate.Score);
        return (best, score, finished.Count);

        static double Score(IEnumerable<TrialResult> trials, Metric metric) => trials.Average(trial => trial.Validation.Get(metric));
    }
}

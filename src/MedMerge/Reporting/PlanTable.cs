using MedMerge.Experiments.Planning;

namespace MedMerge.Reporting;

/// <summary>What a run would do, for <c>--dry-run</c>.</summary>
public static class PlanTable
{
    /// <summary>Renders trials by method, then stages with how many trials share them and their part of the work.</summary>
    /// <param name="isCached">Whether a stage's output, by its key, is in the store already.</param>
    public static string Render(PlanSummary plan, Func<string, bool> isCached)
    {
        var total = Math.Max(plan.Stages.Sum(stage => stage.Cost), 1);
        var left = plan.Stages.Where(stage => !isCached(stage.Key)).Sum(stage => stage.Cost);
        return $"""
            {plan.Trials.Count} trials, {plan.Stages.Count} stages; {100 * left / total:0} % of the work is left to do

            {TextTable.Render(CreateMethodRows(plan))}
            {TextTable.Render(CreateStageRows(plan, isCached, total))}
            """;
    }

    private static List<IReadOnlyList<string>> CreateMethodRows(PlanSummary plan)
    {
        var isSingle = plan.Scenarios.Count == 1;
        var rows = new List<IReadOnlyList<string>> { (string[])["method", "trials", "stages of one trial"] };
        foreach (var trials in plan.Trials.GroupBy(trial => (trial.Scenario, trial.Method, trial.Source)))
        {
            var first = trials.First();
            var scenario = isSingle ? "" : $"{plan.ScenarioOf(first).Name}: ";
            var stages = plan.StagesOf(first).Select(stage => stage.Name).Distinct();
            rows.Add([scenario + first.Row.Title, $"{trials.Count()}", string.Join(" → ", stages)]);
        }
        return rows;
    }

    private static List<IReadOnlyList<string>> CreateStageRows(PlanSummary plan, Func<string, bool> isCached, double total)
    {
        var uses = plan.Trials.SelectMany(trial => trial.Stages).CountBy(position => position).ToDictionary();
        var rows = new List<IReadOnlyList<string>> { (string[])["stage", "to compute", "kept", "trials using one", "share of the work"] };
        foreach (var group in plan.Stages.Index().GroupBy(stage => stage.Item.Name))
        {
            var cached = group.Count(stage => isCached(stage.Item.Key));
            rows.Add(
            [
                group.Key,
                $"{group.Count() - cached}",
                $"{cached}",
                $"up to {group.Max(stage => uses[stage.Index])}",
                $"{100 * group.Sum(stage => stage.Item.Cost) / total:0} %",
            ]);
        }
        return rows;
    }
}

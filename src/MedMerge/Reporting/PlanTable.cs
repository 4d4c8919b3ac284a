using MedMerge.Experiments.Planning;

namespace MedMerge.Reporting;

/// <summary>What a run would do, for <c>--dry-run</c>.</summary>
public static class PlanTable
{
    /// <summary>Renders trials by method, then stages with how many trials share them and their part of the work.</summary>
    /// <param name="isKept">Whether a stage's output, by its key, is in the store already.</param>
    public static string Render(Plan plan, Func<string, bool> isKept)
    {
        var total = Math.Max(plan.Stages.Sum(stage => stage.Cost), 1);
        var uses = plan.Trials.SelectMany(trial => trial.Stages).CountBy(stage => stage.Key).ToDictionary();
        var methods = new List<IReadOnlyList<string>> { (string[])["method", "trials", "stages of one trial"] };
        methods.AddRange(plan.Trials.GroupBy(trial => trial.Method).Select(trials => (string[])
            [trials.Key.Title, $"{trials.Count()}", string.Join(" → ", trials.First().Stages.Select(stage => stage.Name).Distinct())]));
        var stages = new List<IReadOnlyList<string>> { (string[])["stage", "to compute", "kept", "trials using one", "share of the work"] };
        stages.AddRange(plan.Stages.GroupBy(stage => stage.Name).Select(group => (string[])
        [
            group.Key,
            $"{group.Count(stage => !isKept(stage.Key))}",
            $"{group.Count(stage => isKept(stage.Key))}",
            $"up to {group.Max(stage => uses[stage.Key])}",
            $"{100 * group.Sum(stage => stage.Cost) / total:0} %",
        ]));
        var left = plan.Stages.Where(stage => !isKept(stage.Key)).Sum(stage => stage.Cost);
        return $"""
            {plan.Trials.Count} trials, {plan.Stages.Count} stages; {100 * left / total:0} % of the work is left to do

            {TextTable.Render(methods)}
            {TextTable.Render(stages)}
            """;
    }
}

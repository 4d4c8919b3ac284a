using MedMerge.Experiments.Planning;

namespace MedMerge.Reporting;

/// <summary>What a run would compute, for <c>--dry-run</c>.</summary>
internal static class PlanTable
{
    /// <summary>
    /// Renders the scenarios where there are several, the trials by method, then the stages with the number of trials that share them and
    /// their share of the work.
    /// </summary>
    /// <param name="isCached">Whether the store has the output of the stage with a key.</param>
    /// <param name="expected">How long the rest takes; null to say nothing about it.</param>
    public static string Render(PlanSummary plan, Func<string, bool> isCached, ExpectedTime? expected = null)
    {
        var total = Math.Max(plan.Stages.Sum(stage => stage.Cost), 1);
        var remaining = plan.Stages.Where(stage => !isCached(stage.Key)).Sum(stage => stage.Cost);
        var isSingle = plan.Scenarios.Count == 1;
        var scenarios = isSingle ? "" : $"{plan.Scenarios.Count} scenarios, ";
        var trials = plan.Trials.Count == 1 ? "1 trial" : $"{plan.Trials.Count} trials";
        var time = expected is null ? "" : "\n" + Describe(expected, plan.Halving is not null);
        return $"""
            {scenarios}{trials}, {plan.Stages.Count} stages; {100 * remaining / total:0} % of the work is left to do{time}

            {(isSingle ? "" : TextTable.Render(CreateScenarioRows(plan, isCached)) + "\n")}{TextTable.Render(CreateMethodRows(plan))}
            {TextTable.Render(CreateStageRows(plan, isCached, total))}
            """;
    }

    /// <param name="isHalving">Whether a search stops trials early, so that less is computed.</param>
    private static string Describe(ExpectedTime expected, bool isHalving)
    {
        var kinds = string.Join(", ", expected.Unmeasured);
        var unmeasured = kinds.Length == 0
            ? ""
            : $"no stage of kind {kinds} was measured here yet with this network, number of threads and device";
        if (expected.Measured == 0)
            return $"Expected time: {(unmeasured.Length == 0 ? "none: everything is in the store" : "not known, " + unmeasured)}";
        var bound = isHalving ? "at most about" : "about";
        var lanes = expected.Lanes == 1 ? "one lane" : $"{expected.Lanes} lanes";
        var stages = expected.Measured == 1 ? "one measured stage" : $"{expected.Measured} measured stages";
        var more = unmeasured.Length == 0 ? "" : $", and more: {unmeasured}";
        return $"Expected time: {bound} {Format(expected.Known)} on {lanes}, by the paces of {stages}{more}";
    }

    private static string Format(TimeSpan time) => time switch
    {
        { TotalSeconds: < 1 } => "1 s",
        { TotalMinutes: < 2 } => $"{time.TotalSeconds:0} s",
        { TotalHours: < 2 } => $"{time.TotalMinutes:0} min",
        { TotalDays: < 2 } => $"{time.TotalHours:0} h",
        _ => $"{time.TotalDays:0} days",
    };

    private static List<IReadOnlyList<string>> CreateScenarioRows(PlanSummary plan, Func<string, bool> isCached)
    {
        var kept = plan.Stages.Select(stage => isCached(stage.Key)).ToArray();
        var rows = new List<IReadOnlyList<string>> { (string[])["scenario", "trials", "done", "anchor"] };
        foreach (var trials in plan.Trials.GroupBy(trial => trial.Scenario))
        {
            var scenario = plan.Scenarios[trials.Key];
            var done = trials.Count(trial => trial.Stages.All(position => kept[position]));
            rows.Add([scenario.Name, $"{trials.Count()}", $"{done}", scenario.Anchor]);
        }
        return rows;
    }

    /// <summary>Rows of a method in several scenarios count together, and so do those of its sources.</summary>
    private static List<IReadOnlyList<string>> CreateMethodRows(PlanSummary plan)
    {
        var isSingle = plan.Scenarios.Count == 1;
        var rows = new List<IReadOnlyList<string>> { (string[])["method", "trials", "stages of one trial"] };
        foreach (var trials in plan.Trials.GroupBy(trial => isSingle ? trial.Row.Title : trial.Method))
        {
            var stages = plan.GetStages(trials.First()).Select(stage => stage.Name).Distinct();
            rows.Add([trials.Key, $"{trials.Count()}", string.Join(" → ", stages)]);
        }
        return rows;
    }

    private static List<IReadOnlyList<string>> CreateStageRows(PlanSummary plan, Func<string, bool> isCached, double total)
    {
        var uses = plan.Trials.SelectMany(trial => trial.Stages).CountBy(position => position).ToDictionary();
        var rows = new List<IReadOnlyList<string>>
        {
            (string[])["stage", "to compute", "kept", "trials using one", "share of the work"],
        };
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

using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Benchmarks;

/// <summary>A stage of a run with its time.</summary>
/// <param name="Place">Where in the plan it is first needed; the same in a plan with other settings.</param>
/// <param name="Kind">What it does, in one word.</param>
/// <param name="Cost">Expected work in images seen × pixels.</param>
/// <param name="Timing">Null where the store does not know it.</param>
internal sealed record BenchmarkStage(string Place, string Kind, string Key, double Cost, StageTiming? Timing)
{
    /// <summary>Whether its time can be compared: measured whole.</summary>
    public bool IsMeasured => Cost > 0 && Timing is { IsResumed: false, Seconds: > 0 };

    /// <summary>The stages of a plan, without their times.</summary>
    public static IEnumerable<BenchmarkStage> ListAll(PlanSummary plan)
    {
        var seen = new HashSet<string>();
        foreach (var trial in plan.Trials)
        {
            var counts = new Dictionary<string, int>();
            foreach (var stage in plan.GetStages(trial))
            {
                var number = counts[stage.Name] = counts.GetValueOrDefault(stage.Name) + 1;
                if (!seen.Add(stage.Key)) continue;
                var place = $"{plan.GetScenario(trial).Name}/{trial.Row.Title}/{trial.Seed}/{stage.Name} {number}";
                yield return new BenchmarkStage(place, stage.Name, stage.Key, stage.Cost, Timing: null);
            }
        }
    }
}

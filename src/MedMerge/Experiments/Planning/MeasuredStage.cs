using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Planning;

/// <summary>What makes stages take as long for the same cost, on the same device.</summary>
/// <param name="Name">What they do, in one word.</param>
/// <param name="Network">Name and width of the architecture.</param>
/// <param name="Threads">libtorch's threads.</param>
internal sealed record StageKind(string Name, string Network, int Threads)
{
    /// <summary>The kinds of a plan's stages, in their order.</summary>
    public static IReadOnlyList<StageKind> ListAll(PlanSummary plan)
    {
        var kinds = new StageKind?[plan.Stages.Count];
        foreach (var trial in plan.Trials)
        {
            var scenario = plan.GetScenario(trial);
            foreach (var position in trial.Stages)
                kinds[position] ??= new StageKind(plan.Stages[position].Name, scenario.Architecture, scenario.Settings.Threads);
        }
        return [.. kinds.Select(kind => kind!)];
    }
}

/// <summary>A stage whose computation was measured.</summary>
/// <param name="Cost">Work in images seen × pixels.</param>
internal sealed record MeasuredStage(StageKind Kind, double Cost, StageTiming Timing)
{
    /// <summary>Whether the time is that of all its work.</summary>
    public bool IsWhole => Cost > 0 && Timing is { IsResumed: false, Seconds: > 0 };

    /// <summary>Seconds of devices for a unit of cost.</summary>
    public double Pace => Timing.DeviceSeconds / Cost;
}

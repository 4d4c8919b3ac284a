using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>A method over all scenarios. Of its rows of a scenario the best on validation counts.</summary>
/// <param name="Scenarios">Scenarios in which it has a result and there is a best single source.</param>
/// <param name="Targets">How many targets its difference is the mean over.</param>
/// <param name="MeanRank">Among the methods, by the mean test score, 1 the best; equal scores share their ranks' mean.</param>
/// <param name="Difference">
/// To the best single source: the mean over targets of the mean over a target's scenarios, as <see cref="MeanOverTargets"/> has it.
/// </param>
/// <param name="Comparisons">In each scenario, but for those whose best single source it is.</param>
internal sealed record MethodOverall(
    IMethod Method,
    int Scenarios,
    int Targets,
    double MeanRank,
    Interval Difference,
    IReadOnlyList<ScenarioComparison> Comparisons)
{
    /// <summary>In how many scenarios there are seeds enough for a verdict.</summary>
    public int Verdicts => Comparisons.Count(comparison => comparison.Adjusted is not null);

    /// <summary>Scenarios in which it is ahead of the best single source, all its verdicts considered together.</summary>
    public int Helped => Comparisons.Count(comparison => comparison.IsSignificant && comparison.Difference.Estimate > 0);

    /// <summary>Scenarios in which it is behind, likewise.</summary>
    public int Harmed => Comparisons.Count(comparison => comparison.IsSignificant && comparison.Difference.Estimate < 0);
}

/// <summary>A method's difference to the best single source in one scenario.</summary>
/// <param name="PValue">Of no difference; NaN where it can't be told.</param>
/// <param name="Adjusted">
/// The p-value adjusted for all of the method's verdicts (Holm 1979); null where there are fewer seeds than a verdict takes.
/// </param>
internal sealed record ScenarioComparison(string Scenario, int Seeds, Interval Difference, double PValue, double? Adjusted)
{
    private const double Level = 0.05;

    /// <summary>Whether the verdict is that there is a difference.</summary>
    public bool IsSignificant => Adjusted < Level;
}

using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>The difference of one method to another.</summary>
/// <param name="Difference">The one minus <paramref name="Other"/>.</param>
/// <param name="Seeds">Number of seeds that both have.</param>
internal sealed record MethodComparison(MethodRow Other, Interval Difference, int Seeds);

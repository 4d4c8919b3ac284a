using MedMerge.Benchmarks;
using System.Globalization;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// An epoch of weight learning through the grains of one silo, its checkpoint included, beside the same work in a plain
/// loop. The goal: orchestration costs at most 5 %.
/// </summary>
internal static class Orchestration
{
    /// <summary>Both in turns, and the medians, as Markdown.</summary>
    public static async Task<string> MeasureAsync(int rounds)
    {
        var epoch = new KernelWeightEpoch();
        await epoch.SetupAsync();
        var turns = await Turns.TakeAsync(rounds, () => Turns.TimeAsync(epoch.PlainAsync), () => Turns.TimeAsync(epoch.GrainsAsync));
        await epoch.CleanupAsync();
        var (plain, grains) = turns.Medians;
        return string.Create(CultureInfo.InvariantCulture, $"""
            An epoch of weight learning (ResNet-20, batch 128, 4 shards, 384 images, 2 sources), medians of {rounds} turns

            | | ms |
            | --- | ---: |
            | in a plain loop | {plain:0.0} |
            | through the grains of one silo, its checkpoint included | {grains:0.0} |
            | ratio of the medians | {grains / plain:0.000} |
            | median of the turns' ratios (quartiles) | {turns.Ratio:0.000} ({turns.Quartiles.Lower:0.000}, {turns.Quartiles.Upper:0.000}) |

            """);
    }
}

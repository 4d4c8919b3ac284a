using System.Globalization;
using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Benchmarks;

/// <summary>
/// For architectures at full width and ImageNet's size, on one thread: a step of weight learning with 2 and with 8 sources beside a plain
/// step. The two take turns; medians, and of the ratios within a turn.
/// </summary>
internal static class WeightStepTable
{
    private const int BatchSize = 16, Side = 224, Rounds = 5;
    private static readonly int[] Sources = [2, 8];

    /// <summary>Prints a row for each.</summary>
    public static async Task WriteAsync(string[] architectures)
    {
        TorchRuntime.Start();
        torch.set_num_threads(1);
        Console.WriteLine("| architecture | sources | plain, s | weight step, s | ratio (range) |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: |");
        foreach (var architecture in architectures)
            foreach (var sources in Sources) await WriteRowAsync(architecture, sources);
    }

    private static async Task WriteRowAsync(string architecture, int sources)
    {
        using var steps = new TrainingSteps(architecture, sources, Side, BatchSize, hasNaive: false);
        var turns = await Turns.TakeAsync(Rounds, () => TimeAsync(steps.Plain), () => TimeAsync(steps.Folded));
        var (plain, folded) = turns.Medians;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {architecture} | {sources} | {plain / 1000:F2} | {folded / 1000:F2} | " +
            $"{turns.Ratio:F2} ({turns.Ratios[0]:F2} to {turns.Ratios[^1]:F2}) |"));
    }

    private static Task<double> TimeAsync(Func<double> step) => Turns.TimeAsync(() => Task.FromResult(step()));
}

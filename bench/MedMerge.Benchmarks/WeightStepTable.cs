using System.Diagnostics;
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
    private const int BatchSize = 16, Side = 224, WarmUps = 2, Turns = 5;
    private static readonly int[] Sources = [2, 8];

    /// <summary>Prints a row for each.</summary>
    public static void Write(string[] architectures)
    {
        TorchRuntime.Start();
        torch.set_num_threads(1);
        Console.WriteLine("| architecture | sources | plain, s | weight step, s | ratio (range) |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: |");
        foreach (var architecture in architectures)
            foreach (var sources in Sources) WriteRow(architecture, sources);
    }

    private static void WriteRow(string architecture, int sources)
    {
        using var steps = new TrainingSteps(architecture, sources, Side, BatchSize, hasNaive: false);
        var plain = new List<double>();
        var folded = new List<double>();
        for (var turn = -WarmUps; turn < Turns; turn++)
        {
            var (first, second) = (Measure(steps.Plain), Measure(steps.Folded));
            if (turn < 0) continue;
            plain.Add(first);
            folded.Add(second);
        }
        double[] ratios = [.. folded.Zip(plain, (weighed, trained) => weighed / trained).Order()];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {architecture} | {sources} | {Median(plain):F2} | {Median(folded):F2} | " +
            $"{Median(ratios):F2} ({ratios[0]:F2} to {ratios[^1]:F2}) |"));
    }

    private static double Measure(Func<double> step)
    {
        var watch = Stopwatch.StartNew();
        step();
        return watch.Elapsed.TotalSeconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Turns / 2);
}

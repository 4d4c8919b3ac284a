using System.Diagnostics;

namespace MedMerge.Benchmarks;

/// <summary>Two pieces of work in turns, so that a machine whose speed drifts disturbs both alike.</summary>
internal sealed class Turns
{
    private readonly List<double> _first = [], _second = [];

    /// <summary>Medians in milliseconds.</summary>
    public (double First, double Second) Medians => (Median(_first), Median(_second));

    /// <summary>The median of the turns' ratios, second to first.</summary>
    public double Ratio => Median(Ratios);

    /// <summary>The quartiles of the turns' ratios.</summary>
    public (double Lower, double Upper) Quartiles => (Ratios[_first.Count / 4], Ratios[_first.Count * 3 / 4]);

    /// <summary>The turns' ratios, second to first, in order of size.</summary>
    public List<double> Ratios => [.. _second.Zip(_first, (second, first) => second / first).Order()];

    /// <summary>Takes turns; two before warm up. Which goes first changes from turn to turn.</summary>
    public static async Task<Turns> TakeAsync(int rounds, Func<Task<double>> first, Func<Task<double>> second)
    {
        var turns = new Turns();
        for (var round = -2; round < rounds; round++)
        {
            double a, b;
            if (round % 2 == 0) (a, b) = (await first(), await second());
            else (b, a) = (await second(), await first());
            if (round < 0) continue;
            turns._first.Add(a);
            turns._second.Add(b);
        }
        return turns;
    }

    /// <summary>Milliseconds.</summary>
    public static async Task<double> TimeAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

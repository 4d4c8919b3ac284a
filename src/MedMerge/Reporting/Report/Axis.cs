namespace MedMerge.Reporting.Report;

/// <summary>A scale from values to places of a figure, with marks at round values.</summary>
internal sealed class Axis
{
    private const int Marks = 6; // about

    private readonly double _low;
    private readonly double _high;
    private readonly double _start;
    private readonly double _end;

    /// <param name="values">What must be on it; those that are no numbers are passed over.</param>
    /// <param name="start">Where it begins, in the figure's units.</param>
    /// <param name="end">Where it ends.</param>
    public Axis(IEnumerable<double> values, double start, double end)
    {
        var known = values.Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var (low, high) = (known.Min(), known.Max());
        if (high - low < 1e-9) (low, high) = (low - 1, high + 1);
        var step = RoundUp((high - low) / Marks);
        _low = Math.Floor(low / step) * step;
        _high = Math.Ceiling(high / step) * step;
        (_start, _end) = (start, end);
        var count = (int)Math.Round((_high - _low) / step);
        Ticks = [.. Enumerable.Range(0, count + 1).Select(i => Math.Round(_low + (i * step), 6))];
    }

    /// <summary>Round values, in order.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>A value's place; what lies beyond an end is put on it.</summary>
    public double Place(double value) =>
        _start + ((Math.Clamp(value, _low, _high) - _low) / (_high - _low) * (_end - _start));

    /// <summary>To 1, 2 or 5 times a power of ten.</summary>
    private static double RoundUp(double step)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        var factor = step / power;
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }
}

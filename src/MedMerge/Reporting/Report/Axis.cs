using System.Globalization;

namespace MedMerge.Reporting.Report;

/// <summary>A scale from values to places of a figure, with marks at round values; figures draw their axes with it.</summary>
internal sealed class Axis
{
    private const int Marks = 6; // about
    private const double LabelHeight = 18, LabelDistance = 6, HalfLetter = 4;
    private const double Tolerance = 1e-6; // of a step, which rounding may add to a value

    private readonly int _decimals;
    private readonly double _low;
    private readonly double _high;
    private readonly double _start;
    private readonly double _end;

    /// <param name="values">What must be on it; those that are no numbers are passed over.</param>
    /// <param name="start">Where it begins, in the figure's units.</param>
    /// <param name="end">Where it ends.</param>
    public Axis(IEnumerable<double> values, double start, double end)
        : this(values, start, end, minStep: 0)
    {
    }

    private Axis(IEnumerable<double> values, double start, double end, double minStep)
    {
        var known = values.Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var (low, high) = (known.Min(), known.Max());
        if (high - low < 1e-9) (low, high) = (low - 1, high + 1);
        var step = Math.Max(RoundUp((high - low) / Marks), minStep);
        _decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step)));
        var first = Math.Floor((low / step) + Tolerance) * step;
        var last = Math.Ceiling((high / step) - Tolerance) * step;
        (_low, _high) = minStep > 0 ? (low, high) : (first, last);
        (_start, _end) = (start, end);
        var count = (int)Math.Round((last - first) / step);
        Ticks =
        [
            .. Enumerable.Range(0, count + 1)
                .Select(i => Math.Round(first + (i * step), 6))
                .Where(tick => tick >= _low - Tolerance && tick <= _high + Tolerance),
        ];
    }

    /// <summary>A scale of whole steps that ends where they end.</summary>
    /// <param name="last">More than <paramref name="first"/>.</param>
    public static Axis OfSteps(int first, int last, double start, double end) => new([first, last], start, end, minStep: 1);

    /// <summary>Round values, in order.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>A value's place; what lies beyond an end is put on it.</summary>
    public double Place(double value) =>
        _start + ((Math.Clamp(value, _low, _high) - _low) / (_high - _low) * (_end - _start));

    /// <summary>Draws it from left to right: a line up through the plot at each mark, and its value below.</summary>
    public Html DrawAcross(double top, double bottom) => Html.Join(Ticks.Select(tick => Html.Of($"""
        <line class="grid" x1="{Place(tick)}" x2="{Place(tick)}" y1="{top}" y2="{bottom}"/>
        <text class="tick" x="{Place(tick)}" y="{bottom + LabelHeight}">{Format(tick)}</text>
        """)));

    /// <summary>Draws it upwards: a line across the plot at each mark, and its value to the left.</summary>
    public Html DrawUp(double left, double right) => Html.Join(Ticks.Select(tick => Html.Of($"""
        <line class="grid" x1="{left}" x2="{right}" y1="{Place(tick)}" y2="{Place(tick)}"/>
        <text class="tick side" x="{left - LabelDistance}" y="{Place(tick) + HalfLetter}">{Format(tick)}</text>
        """)));

    private string Format(double tick) =>
        (tick < 0 ? "−" : "") + Math.Abs(tick).ToString($"F{_decimals}", CultureInfo.InvariantCulture);

    /// <summary>To 1, 2 or 5 times a power of ten.</summary>
    private static double RoundUp(double step)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        var factor = step / power;
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }
}

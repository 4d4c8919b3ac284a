namespace MedMerge.Reporting.Report;

/// <summary>How the kernel weights of a method's trials moved.</summary>
/// <param name="Title">The method's.</param>
/// <param name="Seeds">For each seed the mean entropy by epoch, from 0: the start; 0 … 1.</param>
internal sealed record EntropyCurve(string Title, IReadOnlyList<IReadOnlyList<double>> Seeds);

/// <summary>
/// The kernel weights' entropy by epoch: 100 % where all sources weigh the same, 0 where one holds everything.
/// </summary>
internal static class EntropyFigure
{
    /// <summary>Draws each method's mean over seeds within a band of a standard deviation.</summary>
    /// <param name="caption">What it shows, in a sentence or two.</param>
    public static Html Draw(string caption, IReadOnlyList<EntropyCurve> curves)
    {
        var lines = curves.Select(CreateLine).ToList();
        var frame = new ChartFrame("chart", Width: 720, Height: 230, Range: [0, 100], First: 0);
        return WideFigure.Draw(caption, LineChart.Draw(Describe(lines), lines, frame));
    }

    private static ChartLine CreateLine(EntropyCurve curve)
    {
        var epochs = Enumerable.Range(0, curve.Seeds.Min(seed => seed.Count)).ToList();
        var means = epochs.ConvertAll(epoch => 100 * curve.Seeds.Average(seed => seed[epoch]));
        var spreads = epochs.ConvertAll(epoch =>
            Math.Sqrt(curve.Seeds.Average(seed => Math.Pow((100 * seed[epoch]) - means[epoch], 2))));
        return new ChartLine(curve.Title, means) { Spreads = curve.Seeds.Count == 1 ? [] : spreads };
    }

    private static string Describe(IEnumerable<ChartLine> lines) => "Entropy of the kernel weights in per cent: " +
        string.Join(", ", lines.Select(line =>
            $"{line.Name} from {Percent.Format(line.Values[0] / 100)} to {Percent.Format(line.Values[^1] / 100)}"));
}

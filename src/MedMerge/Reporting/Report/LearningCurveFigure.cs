using System.Globalization;

namespace MedMerge.Reporting.Report;

/// <summary>A training, epoch by epoch; the state before the first counts as epoch 0.</summary>
/// <param name="Title">What was trained.</param>
/// <param name="Training">Mean loss on the training images during each epoch; NaN for epoch 0.</param>
/// <param name="Validation">Mean loss on the validation images after each epoch.</param>
/// <param name="Kept">The epoch that was kept; null where it is not known.</param>
internal sealed record LearningCurve(string Title, IReadOnlyList<double> Training, IReadOnlyList<double> Validation, int? Kept);

/// <summary>Loss by epoch, a small chart for each training, all to one scale so that they can be compared.</summary>
internal static class LearningCurveFigure
{
    private const double Width = 300, Height = 190;

    /// <summary>Draws them.</summary>
    /// <param name="caption">What they show, in a sentence or two.</param>
    public static Html Draw(string caption, IReadOnlyList<LearningCurve> curves)
    {
        double[] range = [0, .. curves.SelectMany(curve => curve.Training.Concat(curve.Validation))];
        return Html.Of($"""
            <figure>
            <div class="curves">
            {Html.Join(curves.Select(curve => DrawCurve(curve, range)))}
            </div>
            <figcaption>{caption}</figcaption>
            </figure>
            """);
    }

    private static Html DrawCurve(LearningCurve curve, IReadOnlyList<double> range)
    {
        ChartLine[] lines =
        [
            new("validation", curve.Validation) { Marked = curve.Kept },
            new("training", curve.Training),
        ];
        var chart = LineChart.Draw(Describe(curve), lines, new ChartFrame("small", Width, Height, range, First: 0));
        return Html.Of($"""
            <div>
            <p class="panel"><strong>{curve.Title}</strong><br/>{DescribeKept(curve)}</p>
            {chart}
            </div>
            """);
    }

    private static string DescribeKept(LearningCurve curve)
    {
        if (curve.Kept is not { } kept) return $"{curve.Validation.Count - 1} epochs";
        return kept == 0 ? "the start was kept" : $"epoch {kept} of {curve.Validation.Count - 1} was kept";
    }

    private static string Describe(LearningCurve curve)
    {
        var training = curve.Training.Where(double.IsFinite).ToList();
        var ofTraining = training.Count == 0 ? "" : $", training loss from {Format(training[0])} to {Format(training[^1])}";
        return $"{curve.Title}, {DescribeKept(curve)}: validation loss from {Format(curve.Validation[0])} to " +
               $"{Format(curve.Validation[^1])}{ofTraining}";
    }

    private static string Format(double loss) => loss.ToString("0.000", CultureInfo.InvariantCulture);
}

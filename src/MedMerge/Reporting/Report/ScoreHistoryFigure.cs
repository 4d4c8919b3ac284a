using MedMerge.Statistics;

namespace MedMerge.Reporting.Report;

/// <summary>A method's scores in a benchmark's runs, from the oldest on.</summary>
/// <param name="Scores">Fractions; null for runs without one.</param>
internal sealed record ScoreHistory(string Method, IReadOnlyList<Interval?> Scores);

/// <summary>Scores by run, a small chart for each method, all to one scale so that they can be compared.</summary>
internal static class ScoreHistoryFigure
{
    private const double Width = 300, Height = 190, Percent = 100;

    /// <summary>Draws them.</summary>
    /// <param name="metric">The scores' name.</param>
    /// <param name="first">The number of the oldest run.</param>
    public static Html Draw(string metric, int first, IReadOnlyList<ScoreHistory> histories)
    {
        double[] range = [.. histories.SelectMany(history => history.Scores).SelectMany(GetReach)];
        return Html.Of($"""
            <figure>
            <div class="curves">
            {Html.Join(histories.Select(history => DrawHistory(history, new ChartFrame("small", Width, Height, range, first))))}
            </div>
            <figcaption>{metric} on the test images by run, in per cent; bands are 95 % intervals of the mean over seeds.</figcaption>
            </figure>
            """);
    }

    private static Html DrawHistory(ScoreHistory history, ChartFrame frame)
    {
        var line = new ChartLine("mean", [.. history.Scores.Select(score => Percent * (score?.Estimate ?? double.NaN))])
        {
            Spreads = [.. history.Scores.Select(GetSpread)],
        };
        var known = line.Values.Where(double.IsFinite).ToList();
        var scores = known.Count == 0 ? "no score" : $"from {known[0]:0.0} to {known[^1]:0.0} in {known.Count} runs";
        return Html.Of($"""
            <div>
            <p class="panel"><strong>{history.Method}</strong></p>
            {LineChart.Draw($"{history.Method}: {scores}", [line], frame)}
            </div>
            """);
    }

    /// <summary>Half of an interval, which lies evenly around its mean; 0 for a single score.</summary>
    private static double GetSpread(Interval? score) =>
        score is not null && double.IsFinite(score.High) ? Percent * (score.High - score.Estimate) : 0;

    private static IEnumerable<double> GetReach(Interval? score) => score is null
        ? []
        : [(Percent * score.Estimate) - GetSpread(score), (Percent * score.Estimate) + GetSpread(score)];
}

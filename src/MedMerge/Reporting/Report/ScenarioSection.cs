using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Reporting.Report;

/// <summary>A scenario in the report: the table and its figures, what to know about them, where the numbers come from.</summary>
internal static class ScenarioSection
{
    /// <summary>Draws everything below the scenario's heading and verdict.</summary>
    /// <param name="table">The scenario's texts.</param>
    /// <param name="search">Of which it is the outcome; null where the scenario is as specified.</param>
    /// <param name="hasTraining">Whether learning curves and kernel weights are drawn.</param>
    public static Html Draw(ScenarioResult result, ScenarioTable table, SearchResult? search, bool hasTraining)
    {
        var chosen = search is null ? Html.None : Html.Of($"""
            {HtmlTable.Draw("What the search chose", SearchTable.GetChosen(search))}
            <p>{SearchTable.SettingsNote} {SearchTable.FinishedNote}</p>
            """);
        return Html.Of($"""
            {DrawFigures(result, table)}
            {HtmlTable.Draw("Means over seeds on the test images, in per cent", [table.Header, .. table.Rows])}
            {Html.Join(table.Notes.Select(note => Html.Of($"<p>{note}</p>")))}
            {chosen}
            {DrawReliability(result)}
            {DrawClasses(result)}
            {(hasTraining ? TrainingSection.Draw(result) : Html.None)}
            <h3>Method and budget</h3>
            <p>{table.Heading}.</p>
            <p>{table.CertificateText}</p>
            {LineageSection.Draw(result, hasSettings: search is null)}
            """);
    }

    private static Html DrawReliability(ScenarioResult result)
    {
        var notes = ReliabilityNotes.Of(result);
        return notes.Count == 0 ? Html.None : Html.Of($"""
            <h3>How far to trust this</h3>
            <ul>
            {Html.Join(notes.Select(note => Html.Of($"<li>{note}</li>")))}
            </ul>
            """);
    }

    private static Html DrawFigures(ScenarioResult result, ScenarioTable table)
    {
        var metric = result.Metric;
        var (score, difference) = (1, table.Header.ToList().IndexOf("Δ " + MetricNames.GetShort(metric)));
        var rows = result.Summaries.Zip(table.Rows).ToList();
        var scores = IntervalFigure.Draw(
            $"Scores on the test images, {MetricNames.Get(metric)} in per cent: mean and 95 % interval, and each seed's score (circles)",
            [.. rows.Select(row => Row(row.First, row.First.Scores[metric], row.Second, score, GetSeeds(result, row.First, metric)))],
            hasZero: false);
        if (result.Rival is not { } rival) return scores;
        var differences = IntervalFigure.Draw(
            $"Difference to {rival.Title}, the best single source on validation, in points of {MetricNames.Get(metric)}: 95 % interval",
            [
                .. rows
                    .Where(row => row.First.Differences.ContainsKey(metric))
                    .Select(row => Row(row.First, row.First.Differences[metric], row.Second, difference, [])),
            ],
            hasZero: true);
        return Html.Join([scores, differences]);
    }

    private static IntervalRow Row(
        MethodSummary summary,
        Interval interval,
        IReadOnlyList<string> cells,
        int column,
        IReadOnlyList<double> points) => new(cells[0], cells[column], summary.Method.Role, interval, points);

    private static List<double> GetSeeds(ScenarioResult result, MethodSummary summary, Metric metric) =>
        [.. GetTrials(result, summary.Method).Select(trial => trial.Test.Get(metric))];

    private static IEnumerable<TrialResult> GetTrials(ScenarioResult result, MethodRow row) =>
        result.Trials.Where(trial => trial.Trial.Row == row);

    /// <summary>Class by class, of the proposed method and of the best single source.</summary>
    private static Html DrawClasses(ScenarioResult result)
    {
        var rows = result.Summaries
            .Select(summary => summary.Method)
            .Where(row => row.Role == MethodRole.Proposed || row == result.Rival)
            .Select(row => (Row: row, Trials: GetTrials(result, row).ToList()))
            .Where(row => row.Trials.Count > 0)
            .ToList();
        if (rows.Count == 0) return Html.None;
        return Html.Of($"""
            <h3>Class by class</h3>
            <div class="pair">
            {Html.Join(rows.Select(row => Html.Of($"<div>{DrawClasses(result.Scenario.Target, row.Row.Title, row.Trials)}</div>")))}
            </div>
            """);
    }

    /// <summary>Scores, confusions and calibration class by class, over trials.</summary>
    public static Html DrawClasses(TargetSummary target, string title, IReadOnlyList<TrialResult> trials)
    {
        var tests = trials.Select(trial => trial.Test).ToList();
        var names = target.GetClassNames(tests[0].Classes.Count);
        var scores = tests.SelectMany(test => test.Classes).ToLookup(score => score.Class);
        var table = HtmlTable.Draw(
            $"{title}: means over seeds, in per cent",
            [
                ["class", "images", "precision", "recall", "F1", "AUC"],
                .. names.Select((name, number) => (string[])
                [
                    name,
                    $"{scores[number].First().Images}",
                    Percent.Format(scores[number].Average(score => score.Precision)),
                    Percent.Format(scores[number].Average(score => score.Recall)),
                    Percent.Format(scores[number].Average(score => score.F1)),
                    scores[number].Average(score => score.Auc) is { } auc ? Percent.Format(auc) : "–",
                ]),
            ]);
        var matrices = tests.Select(test => test.Confusion).OfType<ConfusionMatrix>().ToList();
        var confusion = matrices.Count == 0
            ? Html.None
            : ConfusionTable.Draw(
                $"{title}: of each class's images (rows), the per cent taken for each class (columns)",
                ConfusionMatrix.Sum(matrices),
                names);
        var bins = CalibrationBin.Sum(tests.SelectMany(test => test.Calibration));
        var calibration = CalibrationFigure.Draw($"{title}: per cent right (up) by per cent of confidence (across)", bins);
        return Html.Join([table, confusion, calibration]);
    }
}

using MedMerge.Experiments.Results;

namespace MedMerge.Reporting.Report;

/// <summary>The report: one page that needs no other file and no network, from the verdict to where every number comes from.</summary>
internal static class ReportPage
{
    /// <summary>Writes the page of a sweep's results so far.</summary>
    public static string Render(SweepResult result)
    {
        IReadOnlyList<ScenarioResult> scenarios = result.Plan.IsSearch
            ? [.. result.Searches.Select(search => search.Best)]
            : result.Scenarios;
        var isOne = scenarios.Count == 1;
        var body = isOne ? ScenarioSection.Draw(scenarios[0]) : DrawScenarios(scenarios, result.Comparison);
        return Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>{result.Plan.Name} – MedMerge report</title>
            <style>
            {Style}
            </style>
            </head>
            <body>
            <main>
            <header>
            <p class="kind">MedMerge report</p>
            <h1>{result.Plan.Name}</h1>
            {(isOne ? DrawVerdict(scenarios[0]) : DrawVerdict(result.Comparison))}
            </header>
            {DrawNotes(result.Plan.Notes)}
            {body}
            <footer>Made by medmerge {ProductVersion.Current}. The same figures are in <code>results.json</code> beside this file.</footer>
            </main>
            </body>
            </html>

            """).ToString();
    }

    private static Html Style { get; } = Html.OfMarkup(ReportStyle.Css);

    private static Html DrawVerdict(ScenarioResult result)
    {
        var (outcome, reasons) = Verdict.Split(result);
        return Html.Of($"""
            <p class="verdict">{outcome}</p>
            <p>{reasons}</p>
            {DrawIncomplete(result)}
            """);
    }

    private static Html DrawVerdict(SweepComparison? comparison) =>
        comparison is null ? Html.None : Html.Of($"""<p class="verdict">{SweepVerdict.Of(comparison)}</p>""");

    private static Html DrawIncomplete(ScenarioResult result) =>
        ScenarioTable.Of(result).Incomplete is { } incomplete ? Html.Of($"""<p class="warning">{incomplete}</p>""") : Html.None;

    private static Html DrawNotes(IReadOnlyList<string> notes) => notes.Count == 0 ? Html.None : Html.Of($"""
        <h3>What to know about the data</h3>
        <ul>
        {Html.Join(notes.Select(note => Html.Of($"<li>{note}</li>")))}
        </ul>
        """);

    private static Html DrawScenarios(IReadOnlyList<ScenarioResult> scenarios, SweepComparison? comparison) => Html.Of($"""
        {(comparison is null ? Html.None : DrawComparison(comparison))}
        <nav aria-label="Scenarios">
        <h3>Scenarios</h3>
        <ul>
        {Html.Join(scenarios.Index().Select(DrawLink))}
        </ul>
        </nav>
        {Html.Join(scenarios.Index().Select(DrawSection))}
        """);

    private static Html DrawComparison(SweepComparison comparison)
    {
        var table = SweepTable.Of(comparison);
        var effects = table.Effects.Count == 0 ? Html.None : Html.Of($"""
            {HtmlTable.Draw("Effects of varied settings, in per cent", table.Effects)}
            <p>{table.EffectNotes}</p>
            """);
        return Html.Of($"""
            {(table.Methods.Count == 0 ? Html.None : HtmlTable.Draw(table.Heading, table.Methods))}
            <p>{table.MethodNotes}</p>
            {effects}
            """);
    }

    private static Html DrawLink((int Index, ScenarioResult Item) scenario) => Html.Of(
        $"""<li><a href="#scenario-{scenario.Index + 1}">{scenario.Item.Scenario.Name}</a>: {Verdict.Split(scenario.Item).Outcome}</li>""");

    private static Html DrawSection((int Index, ScenarioResult Item) scenario) => Html.Of($"""
        <section id="scenario-{scenario.Index + 1}">
        <h2>{scenario.Item.Scenario.Name}</h2>
        {DrawVerdict(scenario.Item)}
        {ScenarioSection.Draw(scenario.Item)}
        </section>
        """);
}

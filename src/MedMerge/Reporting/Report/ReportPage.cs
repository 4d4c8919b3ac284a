using MedMerge.Experiments.Results;

namespace MedMerge.Reporting.Report;

/// <summary>The report: one page that needs no other file and no network, from the verdict to where every number comes from.</summary>
internal static class ReportPage
{
    /// <summary>Of more sections, learning curves and kernel weights would make the page too large to send.</summary>
    private const int MaxTrainings = 20;

    /// <summary>Writes the page of a sweep's results so far.</summary>
    public static string Render(SweepResult result)
    {
        var plan = result.Plan;
        List<Part> parts = plan.IsSearch
            ? [.. result.Searches.Select(search => new Part(search.Best, search))]
            : [.. result.Scenarios.Select(scenario => new Part(scenario, Search: null))];
        var planned = plan.IsSearch ? plan.GetArenas().Count : plan.Scenarios.Count;
        var isOne = planned == 1 && parts.Count == 1;
        return Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>{plan.Name} – MedMerge report</title>
            <style>
            {Style}
            </style>
            </head>
            <body>
            <main>
            <header>
            <p class="kind">MedMerge report</p>
            <h1>{plan.Name}</h1>
            {(isOne ? DrawVerdict(parts[0]) : DrawVerdict(result.Comparison, parts.Count, planned))}
            </header>
            {DrawNotes(plan.Notes)}
            {(isOne ? DrawScenario(parts[0], hasTraining: true) : DrawParts(parts, result.Comparison))}
            {Glossary.Draw()}
            {LineageSection.DrawSpecification(plan)}
            <footer>Made by medmerge {ProductVersion.Current}. For programs the same figures are in <code>results.json</code>.</footer>
            </main>
            </body>
            </html>

            """).ToString();
    }

    private static Html Style { get; } = Html.OfMarkup(ReportStyle.Css);

    private static Html DrawVerdict(Part part)
    {
        var (outcome, reasons) = Verdict.Split(part.Result);
        return Html.Join(
        [
            Html.Of($"""<p class="verdict">{outcome}</p>"""),
            reasons.Length == 0 ? Html.None : Html.Of($"<p>{reasons}</p>"),
            part.Table.Incomplete is { } incomplete ? Html.Of($"""<p class="warning">{incomplete}</p>""") : Html.None,
        ]);
    }

    private static Html DrawVerdict(SweepComparison? comparison, int known, int planned)
    {
        var verdict = (comparison, known) switch
        {
            (not null, _) => SweepVerdict.Of(comparison),
            (_, < 2) => "There is nothing to take together yet.",
            _ => "The scenarios are about different metrics, so that nothing is said of all of them together.",
        };
        var missing = known == planned
            ? Html.None
            : Html.Of($"""<p class="warning">INCOMPLETE: {known} of {planned} scenarios have results so far.</p>""");
        return Html.Of($"""
            <p class="verdict">{verdict}</p>
            {missing}
            """);
    }

    private static Html DrawScenario(Part part, bool hasTraining) =>
        ScenarioSection.Draw(part.Result, part.Table, part.Search, hasTraining);

    private static Html DrawNotes(IReadOnlyList<string> notes) => notes.Count == 0 ? Html.None : Html.Of($"""
        <h2>What to know about the data</h2>
        <ul>
        {Html.Join(notes.Select(note => Html.Of($"<li>{note}</li>")))}
        </ul>
        """);

    private static Html DrawParts(IReadOnlyList<Part> parts, SweepComparison? comparison) => Html.Of($"""
        {(comparison is null ? Html.None : DrawComparison(comparison))}
        <nav aria-label="Scenarios">
        <h2>Scenarios</h2>
        <ul>
        {Html.Join(parts.Index().Select(DrawLink))}
        </ul>
        </nav>
        {(parts.Count > MaxTrainings ? LeftOut : Html.None)}
        {Html.Join(parts.Index().Select(part => DrawSection(part.Item, part.Index, hasTraining: parts.Count <= MaxTrainings)))}
        """);

    private static Html LeftOut { get; } = Html.Of($"""
        <p>There are more than {MaxTrainings} scenarios: learning curves and kernel weights are in <code>results.json</code> alone.</p>
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

    private static Html DrawLink((int Index, Part Item) part)
    {
        var result = part.Item.Result;
        var address = $"#scenario-{part.Index + 1}";
        return Html.Of($"""<li><a href="{address}">{result.Scenario.Name}</a>: {Verdict.Split(result).Outcome}</li>""");
    }

    private static Html DrawSection(Part part, int index, bool hasTraining) => Html.Of($"""
        <section id="scenario-{index + 1}">
        <h2>{part.Result.Scenario.Name}</h2>
        {DrawVerdict(part)}
        {DrawScenario(part, hasTraining)}
        </section>
        """);

    /// <summary>What has a section of its own: a scenario, or what a search chose among several.</summary>
    private sealed record Part(ScenarioResult Result, SearchResult? Search)
    {
        /// <summary>Its texts.</summary>
        public ScenarioTable Table { get; } = ScenarioTable.Of(Result);
    }
}

using System.Globalization;
using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>What a search has chosen, and how that compares, as text in per cent.</summary>
internal static class SearchTable
{
    /// <summary>Renders the comparison of every row's best candidate, then which that is.</summary>
    public static string Render(SearchResult search)
    {
        var table = ScenarioTable.Of(search.Best);
        return $"""
            {table.Heading}
            Sources: {string.Join(", ", table.Sources)}
            Every row has the settings of its own best candidate on the validation split.

            {TextTable.Render([table.Header, .. table.Rows])}
            {string.Join('\n', table.Notes)}

            {table.VerdictText}

            {RenderChosen(search)}
            Finished: candidates that ran to their end; the others were stopped early, or have no result.

            {table.CertificateText}
            """ + "\n";
    }

    private static string RenderChosen(SearchResult search) => TextTable.Render(
    [
        ["method", "chosen", $"{MetricNames.Get(search.Best.Metric)} on validation", "finished"],
        .. search.Chosen.Select(chosen => (string[])
        [
            chosen.Row.Title,
            chosen.Scenario,
            (100 * chosen.Validation).ToString("0.0", CultureInfo.InvariantCulture),
            $"{chosen.Finished} of {chosen.Candidates}",
        ]),
    ]);
}

using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>What a search has chosen, and how that compares, as text in per cent.</summary>
internal static class SearchTable
{
    /// <summary>Whose settings the rows of the comparison have.</summary>
    public const string SettingsNote = "Every row has the settings of its own best candidate on the validation split.";

    /// <summary>What the last column of <see cref="GetChosen"/> counts.</summary>
    public const string FinishedNote = "Finished: candidates that ran to their end; the others were stopped early, or have no result.";

    /// <summary>Renders the comparison of every row's best candidate, then which that is.</summary>
    public static string Render(SearchResult search)
    {
        var table = ScenarioTable.Of(search.Best);
        return $"""
            {table.Heading}
            Sources: {string.Join(", ", table.Sources)}
            {SettingsNote}

            {TextTable.Render([table.Header, .. table.Rows])}
            {string.Join('\n', table.Notes)}

            {table.VerdictText}

            {TextTable.Render(GetChosen(search))}
            {FinishedNote}

            {table.CertificateText}
            """ + "\n";
    }

    /// <summary>What was chosen: the heading, then a row for each method.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> GetChosen(SearchResult search) =>
    [
        ["method", "chosen", $"{MetricNames.Get(search.Best.Metric)} on validation", "finished"],
        .. search.Chosen.Select(chosen => (string[])
        [
            chosen.Row.Title,
            chosen.Scenario,
            Percent.Format(chosen.Validation),
            $"{chosen.Finished} of {chosen.Candidates}",
        ]),
    ];
}

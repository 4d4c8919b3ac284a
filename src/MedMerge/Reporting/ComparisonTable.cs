using MedMerge.Experiments.Results;

namespace MedMerge.Reporting;

/// <summary>The tables of a run as Markdown that also reads well in a terminal.</summary>
internal static class ComparisonTable
{
    /// <summary>Renders the tables of all scenarios, or of what a search has chosen, then what they say together.</summary>
    public static string Render(SweepResult result)
    {
        var tables = result.Plan.IsSearch ? result.Searches.Select(SearchTable.Render) : result.Scenarios.Select(Render);
        if (result.Comparison is { } comparison) tables = tables.Append(SweepTable.Render(comparison));
        var missing = string.Join("; ", result.WithoutResult);
        if (missing.Length > 0) tables = tables.Append($"INCOMPLETE: no trial of these scenarios has a result so far: {missing}.\n");
        return string.Join("\n", tables);
    }

    /// <summary>Renders the table of a scenario.</summary>
    public static string Render(ScenarioResult result)
    {
        var table = ScenarioTable.Of(result);
        return $"""
            {table.Heading}{(table.Incomplete is null ? "" : "\n" + table.Incomplete)}
            Sources: {string.Join(", ", table.Sources)}
            Settings: {table.Settings}

            {TextTable.Render([table.Header, .. table.Rows])}
            {string.Join('\n', table.Notes)}

            {table.VerdictText}

            {table.CertificateText}
            """ + "\n";
    }
}

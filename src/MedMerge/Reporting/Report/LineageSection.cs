using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;

namespace MedMerge.Reporting.Report;

/// <summary>Where a scenario's numbers come from, by the content of every input, and with which settings.</summary>
internal static class LineageSection
{
    /// <summary>Draws a scenario's inputs and settings.</summary>
    /// <param name="hasSettings">Whether all its methods have the same settings; a search's have not.</param>
    public static Html Draw(ScenarioResult result, bool hasSettings)
    {
        var scenario = result.Scenario;
        var settings = hasSettings
            ? SettingsText.ToJson(scenario).Select(setting => (setting.Key, Format(setting.Value)))
            : [];
        return Html.Of($"""
            <h3>Lineage</h3>
            {DrawTable("Inputs by their content (SHA-256)", GetOrigins(result))}
            {(hasSettings ? DrawTable("Every setting", settings) : Html.None)}
            """);
    }

    /// <summary>Draws what all scenarios have in common: the code, and the specification as it was submitted.</summary>
    public static Html DrawSpecification(PlanSummary plan)
    {
        var torch = typeof(TorchSharp.torch).Assembly.GetName().Version;
        (string, string)[] code =
        [
            ("medmerge", ProductVersion.Current),
            ("runtime", RuntimeInformation.FrameworkDescription),
            ("TorchSharp", $"{torch}"),
        ];
        var text = plan.Text is { } yaml
            ? Html.Of($"""<pre tabindex="0">{yaml}</pre>""")
            : Html.Of($"<p>Its text is not in the plan: a schedule, or an earlier version of medmerge, made that.</p>");
        return Html.Of($"""
            <h2>Code and specification</h2>
            {DrawTable("The code that wrote this page", code)}
            <p>Stages are stored by the hash of all that their numbers depend on, so that equal keys are equal numbers; which build computed
            one is not recorded.</p>
            {text}
            """);
    }

    private static IEnumerable<(string Name, string Value)> GetOrigins(ScenarioResult result)
    {
        var scenario = result.Scenario;
        var target = scenario.Target;
        var images = target.TrainImages == 0
            ? $"{target.TestImages} test images"
            : $"{target.TrainImages} training, {target.ValidationImages} validation and {target.TestImages} test images";
        yield return ("architecture", scenario.Architecture);
        yield return ("target", $"{target.Title}: {target.Sha256}; {images}");
        foreach (var source in scenario.Sources)
        {
            yield return ($"source {source.Name}", $"{source.Title}; stage {source.Stage}");
            foreach (var origin in source.Origins) yield return ($"source {source.Name}: made of", $"{origin.Name}: {origin.Sha256}");
        }
        yield return ("anchor", result.Anchor);
        yield return ("seeds", string.Join(", ", scenario.Seeds));
    }

    /// <summary>A setting's value, or those of a pretraining.</summary>
    private static string Format(JsonNode? value) => value is JsonObject several
        ? string.Join(", ", several.Select(one => $"{one.Key} {Format(one.Value)}"))
        : value?.ToString() ?? "none";

    private static Html DrawTable(string caption, IEnumerable<(string Name, string Value)> cells)
    {
        var rows = cells.Select(cell => Html.Of($"""<tr><th scope="row">{cell.Name}</th><td>{cell.Value}</td></tr>"""));
        return Html.Of($"""
            <div class="wide" tabindex="0" role="region" aria-label="{caption}"><table class="settings">
            <caption>{caption}</caption>
            <tbody>
            {Html.Join(rows)}
            </tbody>
            </table></div>
            """);
    }
}

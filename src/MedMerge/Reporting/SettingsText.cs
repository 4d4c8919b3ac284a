using System.Text.Json.Nodes;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Training;

namespace MedMerge.Reporting;

/// <summary>Settings as reports, results and documentation show them.</summary>
public static class SettingsText
{
    /// <summary>One line: what differs from the defaults.</summary>
    public static string Render(ScenarioSummary scenario)
    {
        var changed = SettingTable.All
            .Select(setting => (setting.Path, Value: setting.GetValue(scenario.Settings).ToString(), setting.DefaultText))
            .Where(setting => setting.Value != setting.DefaultText)
            .Select(setting => $"{setting.Path} {setting.Value}")
            .ToList();
        return changed.Count == 0 ? "defaults" : $"{string.Join(", ", changed)}; defaults otherwise";
    }

    /// <summary>Every setting of a scenario by its path, and those of each source that is pretrained.</summary>
    public static JsonObject ToJson(ScenarioSummary scenario)
    {
        var json = ToJson(SettingTable.All, scenario.Settings);
        foreach (var source in scenario.Sources)
        {
            if (source.Pretraining is { } pretraining) json[$"sources.{source.Name}.pretrain"] = DescribePretraining(pretraining, source.PretrainingSeed!.Value);
        }
        return json;
    }

    /// <summary>The table of docs/specification.md.</summary>
    public static string RenderDocumentation()
    {
        var rows = new List<IReadOnlyList<string>> { (string[])["key", "default", "values", "meaning"] };
        rows.AddRange(SettingTable.All.Select(setting => (string[])
        [
            $"`{setting.Path}`",
            setting.DefaultText is { } text ? $"`{text}`" : "the machine's processors",
            setting.Range,
            setting.Help,
        ]));
        return TextTable.RenderMarkdown(rows);
    }

    private static JsonObject DescribePretraining(FineTuneSettings settings, ulong seed)
    {
        var json = ToJson(SettingTable.Pretrain, settings);
        json["seed"] = seed;
        return json;
    }

    private static JsonObject ToJson<TOwner>(IEnumerable<Setting<TOwner>> settings, TOwner owner)
    {
        var json = new JsonObject();
        foreach (var setting in settings) json[setting.Path] = setting.GetValue(owner);
        return json;
    }
}

using System.Text.Json.Nodes;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Training;

namespace MedMerge.Reporting;

/// <summary>Shows settings in reports, results and documentation.</summary>
internal static class SettingsText
{
    /// <summary>Renders the settings that differ from the defaults on one line.</summary>
    public static string Render(ScenarioSummary scenario)
    {
        var changed = SettingTable.All
            .Select(setting => (setting.Path, Value: setting.GetValue(scenario.Settings)?.ToString(), setting.DefaultText))
            .Where(setting => setting.Value != setting.DefaultText)
            .Select(setting => $"{setting.Path} {setting.Value}")
            .ToList();
        return changed.Count == 0 ? "defaults" : $"{string.Join(", ", changed)}; defaults otherwise";
    }

    /// <summary>Writes every setting of a scenario by its path, and those of each pretrained source.</summary>
    public static JsonObject ToJson(ScenarioSummary scenario)
    {
        var json = ToJson(SettingTable.All, scenario.Settings);
        foreach (var source in scenario.Sources)
        {
            if (source.Pretraining is not { } pretraining) continue;
            json[$"sources.{source.Name}.pretrain"] = DescribePretraining(pretraining, source.PretrainingSeed!.Value);
        }
        return json;
    }

    /// <summary>Renders the table of docs/specification.md.</summary>
    public static string RenderDocumentation()
    {
        var rows = new List<IReadOnlyList<string>> { (string[])["key", "default", "values", "meaning"] };
        rows.AddRange(SettingTable.All.Select(setting => (string[])
        [
            $"`{setting.Path}`",
            setting.DefaultText is { } text ? $"`{text}`" : "none",
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

namespace MedMerge.Experiments.Specifications;

/// <summary>A choice of varied settings.</summary>
/// <param name="Settings">With the values.</param>
internal sealed record SettingChoice(ScenarioSettings Settings, IReadOnlyList<VariedValue> Values);

/// <summary>A varied setting's value, as written.</summary>
/// <param name="Setting">Its path.</param>
internal sealed record VariedValue(string Setting, string Text);

/// <summary>What <c>vary</c> and <c>search</c> check alike.</summary>
internal static class VariedSetting
{
    /// <summary>Finds the setting that a key names; records an error and returns null where there is none.</summary>
    public static Setting<ScenarioSettings>? Find(YamlMap map, string path)
    {
        var setting = SettingTable.All.FirstOrDefault(setting => setting.Path == path);
        if (setting is not null) return setting;
        var suggestion = SpellingSuggestion.Suggest(path, [.. SettingTable.All.Select(known => known.Path)]);
        map.AddError(path, $"there is no setting '{path}' to vary{suggestion}");
        return null;
    }

    /// <summary>Refuses a value that is listed twice: two scenarios would be the same.</summary>
    public static void RefuseTwice(YamlMap map, string path, Setting<ScenarioSettings> setting, IEnumerable<string> texts)
    {
        foreach (var twice in texts.GroupBy(text => Normalise(setting, text)).Where(group => group.Count() > 1))
            map.AddError(path, $"'{map.GetPath(path)}' lists {twice.Key} twice");
    }

    /// <summary>The same text for all that write the same value: 0.6 and 0.60.</summary>
    public static string Normalise(Setting<ScenarioSettings> setting, string text)
    {
        var changed = setting.With(new ScenarioSettings(), text, out var problem);
        return problem is null ? $"{setting.GetValue(changed)}" : text;
    }
}

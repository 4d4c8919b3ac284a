using System.CommandLine;
using MedMerge.Data;
using MedMerge.Experiments.Specifications;

namespace MedMerge.Cli.Commands;

/// <summary>A data set as options name it: its location, and settings as a specification has them.</summary>
internal static class DataOptions
{
    /// <summary>The option that takes settings.</summary>
    public static Option<string[]?> Settings() => new("--set")
    {
        Description =
            "A setting of the data set as in a specification: " +
            $"{string.Join(", ", DatasetSettingTable.All.Select(setting => setting.Path))}.",
        HelpName = "KEY=VALUE",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>The data set at a location with its settings.</summary>
    /// <exception cref="InputException">There is no such setting, or its value is out of range.</exception>
    public static DatasetSource Find(string location, string[]? settings)
    {
        var source = DatasetSource.Find(location);
        foreach (var text in settings ?? [])
        {
            var (key, value) = text.Split('=', 2) is [var left, var right] ? (left, right) : (text, "");
            if (DatasetSettingTable.All.FirstOrDefault(setting => setting.Path == key) is not { } setting)
            {
                var names = DatasetSettingTable.All.Select(known => known.Path).ToList();
                throw new InputException($"--set '{text}': there is no setting '{key}'{SpellingSuggestion.Suggest(key, names)}");
            }
            source = setting.With(source, value, out var problem);
            if (problem is not null) throw new InputException($"--set '{text}': it must be {problem}.");
        }
        return source;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>Reads the parts of a specification that name data sets and weight files.</summary>
/// <param name="lines">Takes where they are named.</param>
internal sealed partial class SourceReader(
    ISpecificationFiles files,
    DatasetFormats formats,
    SpecificationLines lines,
    SpecificationErrors errors)
{
    /// <summary>Reads a data set; null if its location is missing.</summary>
    public DatasetSource? ReadDataset(YamlMap map)
    {
        var location = map.ReadText("data", required: true);
        var source = SettingTable.Read(DatasetSettingTable.All, map, new DatasetSource(location ?? ""));
        if (location is null) return null;
        if (IsFolder(location) && !location.EndsWith('/')) location += '/';
        var format = formats.Get(location);
        if (format.HasFixedClasses && source.Classes is not null)
            map.AddError("classes", $"the classes of {location} are fixed: leave '{map.GetPath("classes")}' out");
        var located = source with { Location = Locate(map, location, format), Format = format };
        lines.Add(located, map.GetKeyLine("data"));
        return located;
    }

    /// <summary>Reads a source model; null if it has no name.</summary>
    public SourceModel? ReadSource(YamlMap map)
    {
        var name = map.ReadText("name", required: true);
        if (name is not null && !NamePattern().IsMatch(name))
            map.AddError("name", $"the source name '{name}' becomes part of file names: use letters, digits, '-', '_' and '.'");
        var weights = map.ReadText("weights");
        var prefix = map.ReadText("prefix")?.TrimEnd('.');
        var normalisation = ReadNormalisation(map);
        var pretrain = map.FindMap("pretrain");
        var from = map.ReadText("from");
        if (from is not null && pretrain is null)
            map.AddError("from", $"'{map.GetPath("from")}' is what 'pretrain' starts from; the source '{name}' has no 'pretrain'");
        var pretraining = pretrain is null ? null : ReadPretraining(pretrain, name);
        var hasOneOrigin = weights is null != pretrain is null;
        if (!hasOneOrigin)
            errors.Add(map.Line, $"the source '{name}' needs either 'weights' (a file) or 'pretrain' (a data set)");
        if (prefix is not null && weights is null)
            map.AddError("prefix", $"'{map.GetPath("prefix")}' chooses a model in a weight file; the source '{name}' has none");
        if (normalisation is not null && weights is null)
            map.AddError("normalisation", $"'{map.GetPath("normalisation")}' is about a weight file; the source '{name}' has none");
        if (weights is not null) weights = Resolve(map, "weights", weights, isFolder: false);
        map.RefuseUnknownKeys();
        if (name is not null) lines.Add(name, pretrain?.GetKeyLine("data") ?? map.GetKeyLine("weights"));
        if (name is null) return null;
        return new SourceModel(name, weights, pretraining)
        {
            Prefix = prefix,
            From = from,
            Normalisation = normalisation,
        };
    }

    private static InputNormalisation? ReadNormalisation(YamlMap map)
    {
        if (map.ReadText("normalisation") is not { } name) return null;
        if (InputNormalisation.Known.TryGetValue(name, out var known)) return known;
        var names = InputNormalisation.Known.Keys;
        map.AddError(
            "normalisation",
            $"'{map.GetPath("normalisation")}' is '{name}'; there are {string.Join(", ", names)}{SpellingSuggestion.Suggest(name, names)}");
        return null;
    }

    private Pretraining? ReadPretraining(YamlMap map, string? source)
    {
        var data = ReadDataset(map);
        var seed = map.ReadWhole("seed", 0, int.MaxValue) ?? DeriveSeed(source ?? "");
        var training = SettingTable.Read(SettingTable.Pretrain, map, new FineTuneSettings());
        map.RefuseUnknownKeys();
        return data is null ? null : new Pretraining(data, training, (ulong)seed);
    }

    /// <summary>
    /// Derives a default seed from the source's name, so that no two sources start from the same random weights.
    /// </summary>
    private static int DeriveSeed(string name) =>
        BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name))) & int.MaxValue;

    private bool IsFolder(string location) =>
        !location.Contains('\0', StringComparison.Ordinal)
        && files.Find(location, isFolder: false, out _) is null
        && files.Find(location, isFolder: true, out _) is not null;

    private string Locate(YamlMap map, string location, IDatasetFormat format)
    {
        if (format.Kind != LocationKind.Name) return Resolve(map, "data", location, format.Kind == LocationKind.Folder);
        if (!format.KnownLocations.Contains(location))
        {
            lines.AddMissing(location);
            map.AddError("data", $"there is no data set '{location}'; there are {string.Join(", ", format.KnownLocations)}" +
                                 SpellingSuggestion.Suggest(location, format.KnownLocations));
        }
        return location;
    }

    private string Resolve(YamlMap map, string key, string path, bool isFolder)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            lines.AddMissing(path);
            map.AddError(key, $"'{map.GetPath(key)}' holds a NUL character, which no path can");
            return path;
        }
        if (files.Find(path, isFolder, out var problem) is { } found) return found;
        lines.AddMissing(path);
        map.AddError(key, $"'{map.GetPath(key)}': {problem}");
        return path;
    }

    /// <summary>Names of sources and targets, which become parts of the names of files and folders.</summary>
    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9._-]*\z")]
    public static partial Regex NamePattern();
}

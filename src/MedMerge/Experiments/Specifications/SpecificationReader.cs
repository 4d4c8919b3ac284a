using System.Globalization;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Methods;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>Reads a YAML specification and reports all errors at once, each with its line.</summary>
internal sealed class SpecificationReader
{
    private const string AllMethods = "all";
    private const string DefaultName = "run";
    private const int MaxSeeds = 1000;
    private const int MaxSources = 256;
    private const int MaxName = 200;
    private const int MaxParallel = 10_000;
    private const int MaxPriority = 100;
    private const int MaxBudgetTrials = 10_000;
    private const double MaxBudgetHours = 1e6;

    private readonly SpecificationErrors _errors = new();
    private readonly SourceReader _sources;

    private readonly SpecificationLines _lines;
    private ReadableFiles? _readable;

    private SpecificationReader(string origin, ISpecificationFiles files, DatasetFormats formats)
    {
        _lines = new SpecificationLines(origin);
        _sources = new SourceReader(files, formats, _lines, _errors);
    }

    /// <summary>Reads a file. Relative paths are looked up beside it, then in the folder that MEDMERGE_DATA names.</summary>
    /// <exception cref="InputException">The file is missing or has errors; the message lists all of them.</exception>
    public static Specification ReadFile(string path) => ReadFile(path, out _, out _);

    /// <summary>Reads a file as <see cref="ReadFile(string)"/> does, for submission to a gateway.</summary>
    /// <param name="yaml">The file's text.</param>
    /// <param name="files">Locations of the files that it names, by the path as written.</param>
    /// <exception cref="InputException">The file is missing or has errors; the message lists all of them.</exception>
    public static Specification ReadFile(string path, out string yaml, out IReadOnlyDictionary<string, string> files)
    {
        using var text = new StreamReader(new MemoryStream(InputFile.Read(path, "specification")));
        yaml = text.ReadToEnd();
        var folders = new List<string> { Path.GetDirectoryName(Path.GetFullPath(path))! };
        if (Environment.GetEnvironmentVariable("MEDMERGE_DATA") is { Length: > 0 } data) folders.Add(Path.GetFullPath(data));
        var local = new LocalFiles(folders);
        var specification = Read(yaml, $"'{path}'", local, DatasetFormats.All);
        files = local.Found;
        return specification;
    }

    /// <summary>Reads YAML text.</summary>
    /// <param name="origin">What messages call it.</param>
    /// <param name="folders">Where relative paths are looked up, in order.</param>
    /// <param name="formats">Formats of the data sets; null for all that there are.</param>
    /// <exception cref="InputException">The text has errors; the message lists all of them.</exception>
    public static Specification Read(
        string yaml,
        string origin,
        IReadOnlyList<string> folders,
        DatasetFormats? formats = null) =>
        Read(yaml, origin, new LocalFiles(folders), formats ?? DatasetFormats.All);

    /// <summary>Reads YAML text whose files were uploaded; nothing is looked up on this machine's disk.</summary>
    /// <param name="origin">What messages call it.</param>
    /// <param name="uploaded">The <see cref="FrozenSpecification.Address"/> of each file by the path as written.</param>
    /// <param name="formats">Formats of the data sets; null for all that there are.</param>
    /// <exception cref="InputException">The text has errors; the message lists all of them.</exception>
    public static Specification ReadUploaded(
        string yaml,
        string origin,
        IReadOnlyDictionary<string, string> uploaded,
        DatasetFormats? formats = null) =>
        Read(yaml, origin, new UploadedFiles(uploaded), formats ?? DatasetFormats.All);

    /// <summary>Checks YAML text as <see cref="ReadUploaded"/> does, while it is being written.</summary>
    /// <inheritdoc cref="ReadUploaded" path="/param" />
    public static SpecificationCheck CheckUploaded(string yaml, string origin, IReadOnlyDictionary<string, string> uploaded)
    {
        var files = new UploadedFiles(uploaded);
        try
        {
            Read(yaml, origin, files, DatasetFormats.All);
            return new SpecificationCheck([.. files.Named.Where(uploaded.ContainsKey)], Problem: null);
        }
        catch (InputException problem)
        {
            bool IsMissing(string path) => problem.Message.Contains(UploadedFiles.DescribeMissing(path), StringComparison.Ordinal);
            var missing = files.Named.Where(IsMissing);
            return new SpecificationCheck([.. files.Named.Where(uploaded.ContainsKey), .. missing], problem.Message)
            {
                Lines = SpecificationErrors.FindLines(problem.Message),
            };
        }
    }

    private static Specification Read(string yaml, string origin, ISpecificationFiles files, DatasetFormats formats)
    {
        var root = YamlText.Load(yaml, origin);
        var reader = new SpecificationReader(origin, files, formats);
        var specification = reader.ReadSpecification(new YamlMap(root, "", reader._errors));
        if (specification is null) throw new SpecificationException(origin, reader._errors, reader._readable!);
        return specification with { Text = yaml };
    }

    private static SweepBudget? ReadBudget(YamlMap map)
    {
        const string Key = "budget";
        if (map.FindMap(Key) is not { } budget) return null;
        var trials = budget.ReadWhole("trials", 1, MaxBudgetTrials);
        var hours = budget.ReadNumber("deviceHours", 0, MaxBudgetHours);
        budget.RefuseUnknownKeys();
        if (trials is null && hours is null) map.AddError(Key, $"'{Key}' names neither 'trials' nor 'deviceHours'");
        return new SweepBudget(trials, hours);
    }

    private static bool ReadCopies(YamlMap map)
    {
        const string Note = "note", Refuse = "refuse";
        var text = map.ReadText(Specification.CopiesKey);
        if (text is not (null or Note or Refuse))
            map.AddError(Specification.CopiesKey, $"'{Specification.CopiesKey}' is '{text}'; it must be '{Note}' or '{Refuse}'");
        return text == Refuse;
    }

    private Specification? ReadSpecification(YamlMap map)
    {
        var name = ReadName(map);
        var grid = new ScenarioGrid(map, _errors);
        var targets = grid.ReadTargets(_sources);
        var architecture = ReadArchitecture(map);
        var sources = ReadSources(map);
        var anchor = ReadAnchor(map, sources.Select(source => source?.Name), out var isBestProbe);
        var methods = ReadMethods(map);
        var seeds = ReadSeeds(map);
        var settings = ReadSettings(map);
        if (!grid.IsPresent)
        {
            foreach (var broken in Check(settings, [.. sources.Select(source => source?.Name ?? "")]))
                map.AddErrorAt(broken.Path, broken.Message);
        }
        var parallel = map.ReadWhole("parallel", 1, MaxParallel);
        var priority = map.ReadWhole("priority", -MaxPriority, MaxPriority);
        var budget = ReadBudget(map);
        var refusesCopies = ReadCopies(map);
        map.RefuseRenamedKey("weights", SettingTable.KernelWeightsKey);
        var halving = grid.Search?.ReadHalving();
        var points = grid.IsPresent
            ? grid.Unfold(name ?? DefaultName, targets, [.. sources.OfType<SourceModel>()], anchor, settings, Check)
            : null;
        map.RefuseUnknownKeys();
        if (new[] { "vary", "search", "seeds" }.FirstOrDefault(map.Has) is { } key) _lines.Trials = map.GetKeyLine(key);

        if (_errors.Count > 0)
        {
            _readable = new ReadableFiles(
                [.. targets.Select(target => target.Data)],
                [.. sources.OfType<SourceModel>()],
                architecture,
                _lines);
            return null;
        }
        return new Specification
        {
            Name = name ?? DefaultName,
            Target = targets[0].Data,
            Architecture = architecture!,
            Sources = [.. sources.Select(source => source!)],
            Anchor = anchor ?? 0,
            IsAnchorBestProbe = isBestProbe,
            Methods = methods,
            Seeds = seeds,
            Settings = settings,
            Points = points,
            Parallel = parallel,
            Priority = priority ?? 0,
            Budget = budget,
            IsSearch = grid.Search is not null,
            Halving = halving,
            RefusesCopies = refusesCopies,
            Lines = _lines,
        };

        IEnumerable<BrokenRule> Check(ScenarioSettings checkedSettings, IReadOnlyList<string> names) =>
            SettingRules.Check(checkedSettings, names, architecture, methods);
    }

    private string? ReadName(YamlMap map)
    {
        var name = map.ReadText("name");
        if (name?.Length > MaxName) map.AddError("name", $"'name' has {name.Length} characters; it may have {MaxName}");
        if (name?.Any(char.IsControl) == true)
            map.AddError("name", "'name' holds a control character, which would reach the terminals that show it");
        return name;
    }

    private static Architecture? ReadArchitecture(YamlMap map)
    {
        var name = map.ReadText("architecture", required: true);
        var width = map.ReadNumber("width", 0.01, 16) ?? 1;
        if (name is null) return null;
        try
        {
            return Architectures.Create(name, width);
        }
        catch (InputException error)
        {
            var message = error.Message.TrimEnd('.');
            if (Architectures.Names.Contains(name))
            {
                map.AddError("width", message);
            }
            else
            {
                map.AddError("architecture", message + SpellingSuggestion.Suggest(name, Architectures.Names));
            }
            return null;
        }
    }

    private List<SourceModel?> ReadSources(YamlMap map)
    {
        var entries = map.ReadMaps("sources", out var count)
            .Take(MaxSources)
            .Select(entry => (Model: _sources.ReadSource(entry), entry.Line))
            .ToList();
        if (count < 2) map.AddError("sources", $"'sources' has {(count == 0 ? "no" : "one")} entry; merging needs at least two");
        if (count > MaxSources) map.AddError("sources", $"'sources' has {count} entries; there may be {MaxSources}");
        var duplicates = entries.GroupBy(source => source.Model?.Name).Where(group => group.Key is not null && group.Count() > 1);
        foreach (var duplicate in duplicates)
            _errors.Add(duplicate.Last().Line, $"the source name '{duplicate.Key}' is used twice");
        CheckOrigins(entries);
        return [.. entries.Select(entry => entry.Model)];
    }

    /// <summary>A source that is trained on from another one needs that one, and no circle.</summary>
    private void CheckOrigins(IReadOnlyList<(SourceModel? Model, int Line)> entries)
    {
        var from = entries.Where(entry => entry.Model is not null).ToLookup(entry => entry.Model!.Name, entry => entry.Model!.From);
        foreach (var (model, line) in entries)
        {
            if (model?.From is not { } first) continue;
            if (!from.Contains(first))
            {
                var suggestion = SpellingSuggestion.Suggest(first, [.. from.Select(group => group.Key)]);
                _errors.Add(line, $"the source '{model.Name}' is 'from' '{first}', which is no source{suggestion}");
                continue;
            }
            var seen = new HashSet<string> { model.Name };
            for (var at = first; at is not null && from.Contains(at); at = from[at].First())
            {
                if (seen.Add(at)) continue;
                _errors.Add(line, $"the source '{model.Name}' is trained on from itself, by way of 'from'");
                break;
            }
        }
    }

    /// <returns>The index of the source that is named; null where none is.</returns>
    private static int? ReadAnchor(YamlMap map, IEnumerable<string?> sources, out bool isBestProbe)
    {
        var names = sources.OfType<string>().ToList();
        var anchor = map.ReadText("anchor");
        isBestProbe = anchor is null || anchor == Specification.BestProbe;
        if (anchor is not null && isBestProbe && names.Contains(Specification.BestProbe))
            map.AddError("anchor", $"'anchor' is '{anchor}', which is the name of a source too: rename the source");
        if (anchor is null || isBestProbe) return null;
        var index = names.IndexOf(anchor);
        if (index >= 0) return index;
        map.AddError("anchor", $"'anchor' is '{anchor}', which is no source{SpellingSuggestion.Suggest(anchor, names)}");
        return null;
    }

    /// <summary>Names of the chosen methods, in the registry's order.</summary>
    private List<string> ReadMethods(YamlMap map)
    {
        var known = MethodRegistry.Names;
        var chosen = new HashSet<string>();
        var texts = map.ReadTextOrList("methods", out _) ?? [(AllMethods, 0)];
        if (texts.Count == 0)
            map.AddError("methods", "'methods' is an empty list; name at least one method, or leave it out for all");
        foreach (var (text, line) in texts)
        {
            if (text == AllMethods)
            {
                chosen.UnionWith(known);
            }
            else if (known.Contains(text))
            {
                chosen.Add(text);
            }
            else
            {
                var suggestion = SpellingSuggestion.Suggest(text, known);
                _errors.Add(line, $"there is no method '{text}'; there are all, {string.Join(", ", known)}{suggestion}");
            }
        }
        return [.. known.Where(chosen.Contains)];
    }

    /// <summary><c>seeds: 5</c> is 0 to 4; a list names them.</summary>
    private List<ulong> ReadSeeds(YamlMap map)
    {
        var texts = map.ReadTextOrList("seeds", out var isList) ?? [("1", 0)];
        if (texts.Count == 0)
            map.AddError("seeds", "'seeds' is an empty list; name at least one seed, or leave it out for seed 0");
        if (texts.Count > MaxSeeds) map.AddError("seeds", $"'seeds' lists {texts.Count}; there may be {MaxSeeds}");
        var seeds = new List<ulong>();
        foreach (var (text, line) in texts)
        {
            var isNumber = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seed);
            var isInRange = isList || seed is > 0 and <= MaxSeeds;
            if (isNumber && isList && seeds.Contains(seed))
            {
                _errors.Add(line, $"'seeds' lists {seed} twice{(text == $"{seed}" ? "" : $", the second time as '{text}'")}");
            }
            else if (isNumber && isInRange)
            {
                seeds.Add(seed);
            }
            else
            {
                _errors.Add(line, $"'seeds' is '{text}'; it must be a count from 1 to {MaxSeeds} or a list of whole numbers");
            }
        }
        if (seeds.Count == 0 || isList) return seeds;
        return [.. Enumerable.Range(0, (int)seeds[0]).Select(seed => (ulong)seed)];
    }

    private static ScenarioSettings ReadSettings(YamlMap map)
    {
        var settings = new ScenarioSettings();
        var kernelWeights = map.FindMap(SettingTable.KernelWeightsKey);
        var fineTune = map.FindMap(SettingTable.FineTuneKey);
        if (kernelWeights is not null)
        {
            var read = SettingTable.Read(SettingTable.KernelWeights, kernelWeights, settings.KernelWeights);
            settings = settings with { KernelWeights = read };
        }
        if (fineTune is not null)
        {
            var read = SettingTable.Read(SettingTable.FineTune, fineTune, settings.FineTune);
            settings = settings with { FineTune = read };
        }
        settings = SettingTable.Read(SettingTable.TopLevel, map, settings);
        kernelWeights?.RefuseUnknownKeys();
        fineTune?.RefuseUnknownKeys();
        return settings;
    }
}

/// <summary>What a specification's text names, and what is wrong with it.</summary>
/// <param name="Files">The files, by the paths as written.</param>
/// <param name="Problem">Every error with its line; null where there is none.</param>
internal sealed record SpecificationCheck(IReadOnlyList<string> Files, string? Problem)
{
    /// <summary>The lines of the errors, from 1.</summary>
    public IReadOnlyList<int> Lines { get; init; } = [];
}

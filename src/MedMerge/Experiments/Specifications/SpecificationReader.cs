using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>Reads a YAML specification; every error at once, each with its line.</summary>
public sealed partial class SpecificationReader
{
    private const int MaxSeeds = 1000, MaxSources = 256, MaxName = 200, MaxParallel = 10_000;

    private static readonly IReadOnlyDictionary<string, Augmentation> Augmentations = new Dictionary<string, Augmentation>
    {
        ["none"] = Augmentation.None,
        ["shift"] = Augmentation.Shift,
        ["shift-flip"] = Augmentation.ShiftFlip,
    };

    private static readonly IReadOnlyDictionary<string, KernelWeightStart> Starts = new Dictionary<string, KernelWeightStart>
    {
        ["anchored"] = KernelWeightStart.Anchored,
        ["uniform"] = KernelWeightStart.Uniform,
    };

    private readonly SpecificationErrors _errors = new();
    private readonly ISpecificationFiles _files;

    private SpecificationReader(ISpecificationFiles files) => _files = files;

    /// <summary>Reads a file. Relative paths are looked for beside it, then in the folder that MEDMERGE_DATA names.</summary>
    /// <exception cref="InputException">It is missing or has errors; the message lists all of them.</exception>
    public static Specification ReadFile(string path) => ReadFile(path, out _, out _);

    /// <summary>As <see cref="ReadFile(string)"/>, for sending it elsewhere.</summary>
    /// <param name="yaml">Its text.</param>
    /// <param name="files">Where the files lie that it names, by their paths as written.</param>
    /// <exception cref="InputException">It is missing or has errors; the message lists all of them.</exception>
    public static Specification ReadFile(string path, out string yaml, out IReadOnlyDictionary<string, string> files)
    {
        using var text = new StreamReader(new MemoryStream(InputFile.Read(path, "specification")));
        yaml = text.ReadToEnd();
        var folders = new List<string> { Path.GetDirectoryName(Path.GetFullPath(path))! };
        if (Environment.GetEnvironmentVariable("MEDMERGE_DATA") is { Length: > 0 } data) folders.Add(Path.GetFullPath(data));
        var local = new LocalFiles(folders);
        var specification = Read(yaml, $"'{path}'", local);
        files = local.Found;
        return specification;
    }

    /// <summary>Reads YAML text.</summary>
    /// <param name="origin">How messages call it.</param>
    /// <param name="folders">Where relative paths are looked for, in order.</param>
    /// <exception cref="InputException">It has errors; the message lists all of them.</exception>
    public static Specification Read(string yaml, string origin, IReadOnlyList<string> folders) => Read(yaml, origin, new LocalFiles(folders));

    /// <summary>Reads YAML text that came with its files; nothing is looked for on this machine's disk.</summary>
    /// <param name="origin">How messages call it.</param>
    /// <param name="sent">The files' <see cref="FrozenSpecification.Address"/> by their paths as written.</param>
    /// <exception cref="InputException">It has errors; the message lists all of them.</exception>
    public static Specification ReadSent(string yaml, string origin, IReadOnlyDictionary<string, string> sent) => Read(yaml, origin, new SentFiles(sent));

    private static Specification Read(string yaml, string origin, ISpecificationFiles files)
    {
        var root = YamlText.Load(yaml, origin);
        var reader = new SpecificationReader(files);
        var specification = reader.Specification(new YamlMap(root, "", reader._errors));
        reader._errors.ThrowIfAny(origin);
        return specification!;
    }

    private Specification? Specification(YamlMap map)
    {
        var name = map.Text("name");
        if (name?.Length > MaxName) _errors.Add(map.LineOf("name"), $"'name' has {name.Length} characters; it may have {MaxName}");
        if (name?.Any(char.IsControl) == true) _errors.Add(map.LineOf("name"), "'name' holds a control character, which would reach the terminals that show it");
        var target = map.Map("target", required: true);
        var data = target is null ? null : Dataset(target);
        target?.RefuseOthers();
        var architecture = Architecture(map);
        var sources = map.Maps("sources", out var entries).Take(MaxSources).Select(Source).ToList();
        if (entries < 2) _errors.Add(map.LineOf("sources"), $"'sources' has {(entries == 0 ? "no" : "one")} entry; merging needs at least two");
        if (entries > MaxSources) _errors.Add(map.LineOf("sources"), $"'sources' has {entries} entries; there may be {MaxSources}");
        foreach (var twice in sources.GroupBy(source => source.Model?.Name).Where(group => group.Key is not null && group.Count() > 1))
            _errors.Add(twice.Last().Line, $"the source name '{twice.Key}' is there twice");
        var anchor = Anchor(map, sources.Select(source => source.Model?.Name));
        var methods = Methods(map);
        var seeds = Seeds(map);
        var augmentation = map.Choice("augmentation", Augmentations) ?? Augmentation.None;
        var weights = Weights(map.Map("weights"), sources.Count) with { Augmentation = augmentation };
        var tuning = map.Map("fineTune");
        var fineTune = Training(tuning, minEpochs: 0) with { Augmentation = augmentation };
        if (tuning is not null && (fineTune.BatchSize % fineTune.Shards != 0 || (fineTune.Shards > 1 && fineTune.BatchSize < TrainingBounds.MinBatchSize * fineTune.Shards)))
            _errors.Add(tuning.LineOf("shards"), $"'fineTune.batchSize' ({fineTune.BatchSize}) must be a multiple of 'fineTune.shards' ({fineTune.Shards}), with at least {TrainingBounds.MinBatchSize} images for each");
        tuning?.RefuseOthers();
        var device = map.Text("device") ?? "cpu";
        if (!DeviceThread.IsName(device)) _errors.Add(map.LineOf("device"), $"'device' is '{device}'; it must be 'cpu' or 'cuda:N'");
        var threads = map.Whole("threads", 1, DeviceThread.MaxThreads) ?? Environment.ProcessorCount;
        var parallel = map.Whole("parallel", 1, MaxParallel);
        map.RefuseOthers();

        if (_errors.Count > 0) return null;
        return new Specification
        {
            Name = name ?? "run",
            Target = data!,
            Architecture = architecture!,
            Sources = [.. sources.Select(source => source.Model!)],
            Anchor = anchor,
            Methods = methods,
            Seeds = seeds,
            Weights = weights,
            FineTune = fineTune,
            Device = device,
            Threads = threads,
            Parallel = parallel,
        };
    }

    private DatasetSource? Dataset(YamlMap map)
    {
        var location = map.Text("data", required: true);
        var classes = map.Whole("classes", 2, 10_000);
        var trainImages = map.Whole("trainImages", 2, int.MaxValue);
        if (location is null) return null;
        if (!location.StartsWith(Phantoms.Prefix, StringComparison.Ordinal)) return new DatasetSource(Resolve(map, "data", location), classes, trainImages);
        if (classes is not null) _errors.Add(map.LineOf("classes"), $"'{map.Name("classes")}' is for files; a phantom's classes are fixed: leave it out");
        if (!Phantoms.Names.Contains(location[Phantoms.Prefix.Length..]))
        {
            _errors.Add(map.LineOf("data"), $"there is no phantom '{location[Phantoms.Prefix.Length..]}'; there are {string.Join(", ", Phantoms.Names)}" +
                                            SpellingSuggestion.Suggest(location[Phantoms.Prefix.Length..], Phantoms.Names));
        }
        return new DatasetSource(location, classes, trainImages);
    }

    private Architecture? Architecture(YamlMap map)
    {
        var name = map.Text("architecture", required: true);
        var width = map.Number("width", 0.01, 16) ?? 1;
        if (name is null) return null;
        try
        {
            return Architectures.Create(name, width);
        }
        catch (InputException error)
        {
            if (Architectures.Names.Contains(name)) _errors.Add(map.LineOf("width"), error.Message.TrimEnd('.'));
            else _errors.Add(map.LineOf("architecture"), error.Message.TrimEnd('.') + SpellingSuggestion.Suggest(name, Architectures.Names));
            return null;
        }
    }

    private (SourceModel? Model, int Line) Source(YamlMap map)
    {
        var name = map.Text("name", required: true);
        if (name is not null && !SourceName().IsMatch(name))
            _errors.Add(map.LineOf("name"), $"the source name '{name}' becomes part of file names: use letters, digits, '-', '_' and '.'");
        var weights = map.Text("weights");
        var pretrain = map.Map("pretrain");
        Pretraining? pretraining = null;
        if (pretrain is not null)
        {
            var data = Dataset(pretrain);
            var seed = pretrain.Whole("seed", 0, int.MaxValue) ?? SeedOf(name ?? "");
            var augmentation = pretrain.Choice("augmentation", Augmentations) ?? Augmentation.None;
            var training = Training(pretrain, minEpochs: 1) with { Augmentation = augmentation };
            pretrain.RefuseOthers();
            if (data is not null) pretraining = new Pretraining(data, training, (ulong)seed);
        }
        if (weights is null == pretrain is null) _errors.Add(map.Line, $"the source '{name}' needs either 'weights' (a file) or 'pretrain' (a data set)");
        if (weights is not null) weights = Resolve(map, "weights", weights);
        map.RefuseOthers();
        return (name is null ? null : new SourceModel(name, weights, pretraining), map.Line);
    }

    /// <summary>A source's own seed where it names none, so that two sources never begin from the same random weights.</summary>
    private static int SeedOf(string name) => BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name))) & int.MaxValue;

    private int Anchor(YamlMap map, IEnumerable<string?> sources)
    {
        var names = sources.OfType<string>().ToList();
        if (map.Text("anchor") is not { } anchor) return 0;
        var index = names.IndexOf(anchor);
        if (index < 0) _errors.Add(map.LineOf("anchor"), $"'anchor' is '{anchor}', which is no source{SpellingSuggestion.Suggest(anchor, names)}");
        return index;
    }

    private List<MethodKind> Methods(YamlMap map)
    {
        var chosen = new HashSet<MethodKind>();
        var texts = map.TextOrList("methods", out _) ?? [("all", 0)];
        if (texts.Count == 0) _errors.Add(map.LineOf("methods"), "'methods' is an empty list; name at least one method, or leave it out for all");
        foreach (var (text, line) in texts)
        {
            if (text == "all") chosen.UnionWith(MethodNames.All.Values);
            else if (MethodNames.All.TryGetValue(text, out var kind)) chosen.Add(kind);
            else _errors.Add(line, $"there is no method '{text}'; there are all, {string.Join(", ", MethodNames.All.Keys)}{SpellingSuggestion.Suggest(text, MethodNames.All.Keys)}");
        }
        return [.. MethodNames.All.Values.Where(chosen.Contains)];
    }

    /// <summary><c>seeds: 5</c> is 0 to 4; a list names them.</summary>
    private List<ulong> Seeds(YamlMap map)
    {
        var texts = map.TextOrList("seeds", out var isList) ?? [("1", 0)];
        if (texts.Count == 0) _errors.Add(map.LineOf("seeds"), "'seeds' is an empty list; name at least one seed, or leave it out for seed 0");
        if (texts.Count > MaxSeeds) _errors.Add(map.LineOf("seeds"), $"'seeds' lists {texts.Count}; there may be {MaxSeeds}");
        var seeds = new List<ulong>();
        foreach (var (text, line) in texts)
        {
            if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) && (isList || seed is > 0 and <= MaxSeeds)) seeds.Add(seed);
            else _errors.Add(line, $"'seeds' is '{text}'; it must be a count from 1 to {MaxSeeds} or a list of whole numbers");
        }
        if (seeds.Count == 0 || isList) return [.. seeds.Distinct()];
        return [.. Enumerable.Range(0, (int)seeds[0]).Select(seed => (ulong)seed)];
    }

    private KernelWeightSettings Weights(YamlMap? map, int sources)
    {
        var defaults = new KernelWeightSettings();
        if (map is null) return defaults;
        var settings = new KernelWeightSettings
        {
            Epochs = map.Whole("epochs", 0, TrainingBounds.MaxEpochs) ?? defaults.Epochs,
            BatchSize = map.Whole("batchSize", 1, TrainingBounds.MaxBatchSize) ?? defaults.BatchSize,
            Shards = map.Whole("shards", 1, TrainingBounds.MaxShards) ?? defaults.Shards,
            LearningRate = map.Number("learningRate", 0, TrainingBounds.MaxRate) ?? defaults.LearningRate,
            HeadLearningRate = map.Number("headLearningRate", 0, TrainingBounds.MaxRate) ?? defaults.HeadLearningRate,
            HeadDecay = map.Number("headDecay", 1e-9, 100) ?? defaults.HeadDecay,
            Start = map.Choice("start", Starts) ?? defaults.Start,
            AnchorWeight = map.Number("anchorWeight", 0.01, 0.999999) ?? defaults.AnchorWeight,
        };
        if (settings.BatchSize % settings.Shards != 0)
            _errors.Add(map.LineOf("shards"), $"'weights.batchSize' ({settings.BatchSize}) must be a multiple of 'weights.shards' ({settings.Shards})");
        if (sources > 1 && settings.AnchorWeight <= 1.0 / sources)
            _errors.Add(map.LineOf("anchorWeight"), string.Create(CultureInfo.InvariantCulture, $"'weights.anchorWeight' ({settings.AnchorWeight}) must be above an equal share (1/{sources})"));
        map.RefuseOthers();
        return settings;
    }

    /// <summary>The keys that fine-tuning and pretraining share; callers read their own and refuse the rest.</summary>
    private static FineTuneSettings Training(YamlMap? map, int minEpochs)
    {
        var defaults = new FineTuneSettings();
        if (map is null) return defaults;
        return new FineTuneSettings
        {
            Epochs = map.Whole("epochs", minEpochs, TrainingBounds.MaxEpochs) ?? defaults.Epochs,
            BatchSize = map.Whole("batchSize", TrainingBounds.MinBatchSize, TrainingBounds.MaxBatchSize) ?? defaults.BatchSize,
            Shards = map.Whole("shards", 1, TrainingBounds.MaxShards) ?? defaults.Shards,
            LearningRate = map.Number("learningRate", 0, TrainingBounds.MaxRate) ?? defaults.LearningRate,
            WeightDecay = map.Number("weightDecay", 0, TrainingBounds.MaxRate) ?? defaults.WeightDecay,
        };
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9._-]*\z")]
    private static partial Regex SourceName();

    private string Resolve(YamlMap map, string key, string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            _errors.Add(map.LineOf(key), $"'{map.Name(key)}' holds a NUL character, which no path can");
            return path;
        }
        if (_files.Find(path, out var problem) is { } found) return found;
        _errors.Add(map.LineOf(key), $"'{map.Name(key)}': {problem}");
        return path;
    }
}

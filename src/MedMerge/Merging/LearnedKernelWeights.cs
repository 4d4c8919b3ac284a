using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Merging.Alignment;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using MemoryMarshal = System.Runtime.InteropServices.MemoryMarshal;

namespace MedMerge.Merging;

/// <summary>A source that kernel weights were learned for.</summary>
/// <param name="Sha256">The hash of the backbone they belong to (<see cref="SourceHash"/>).</param>
internal sealed record WeightedSource(string Name, string Sha256)
{
    /// <summary>The order that its channels were brought into before it was weighed; null where they stayed as they were.</summary>
    [JsonIgnore]
    public ChannelOrder? Order { get; init; }
}

/// <summary>
/// All that was learned on the target, in a small file: applied to the same source models it gives the merged model again, without data.
/// </summary>
/// <param name="Sources">In the order of α's rows.</param>
/// <param name="Target">The data set it was learned on, as shown to people.</param>
/// <param name="Alpha">The kernel weights.</param>
/// <param name="TargetTensors">
/// Each batch norm's mean and variance on the target, and the classifier, under their names in the model; and the norms that the merged
/// kernels are scaled to (<see cref="Layer.Norms"/>). Of a rescaled merge its batch norms too (<see cref="ActivationRescaling"/>).
/// </param>
internal sealed record LearnedKernelWeights(
    IReadOnlyList<WeightedSource> Sources,
    string Target,
    KernelWeightMatrix Alpha,
    IReadOnlyDictionary<string, PlainTensor> TargetTensors)
{
    /// <summary>The value of the metadata key <c>format</c> of such a file.</summary>
    public const string Format = "medmerge kernel weights 1";

    private const long AnySize = -1;

    // Metadata of what was learned without the bound that a filter's weights are shares of the sources.
    private const string Shares = "shares", NoShares = "no";

    private const string Granularity = "granularity", PerKernel = "kernel2d";

    // Metadata of a merge whose batch norms are mixed.
    private const string BatchNormKey = "batchNorm", Mixed = "mix";

    /// <summary>What becomes of the sources' batch norms.</summary>
    public BatchNormPolicy BatchNorm { get; init; }

    /// <summary>What the merged model takes and gives; null in files of earlier versions.</summary>
    public ModelSignature? Signature { get; init; }

    /// <summary>The sources' architecture.</summary>
    public Architecture Architecture => Alpha.Architecture;

    /// <summary>
    /// The safetensors file: <c>alpha.LAYER</c> [sources, out], or [sources, out, in], in float64, then the target's tensors, then for each
    /// source that was aligned and each group of its channels that moved <c>order.SOURCE.GROUP</c> [channels] in int32, with the source's
    /// position from 0.
    /// </summary>
    public byte[] Write()
    {
        var file = new TensorWriter();
        for (var l = 0; l < Architecture.Layers.Count; l++)
        {
            double[] rows = [.. Enumerable.Range(0, Alpha.Sources).SelectMany(source => Alpha.Row(source, l).ToArray())];
            file.Add<double>(AlphaName(Architecture.Layers[l]), Alpha.ShapeOf(l), rows);
        }
        foreach (var (name, value) in TargetTensors) file.Add<float>(name, value.Shape, value.Values);
        foreach (var (i, source) in Sources.Index())
        {
            foreach (var (group, order) in source.Order?.ToNamed() ?? new Dictionary<string, int[]>())
                file.Add<int>(OrderName(i, group), [order.Length], order);
        }
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["architecture"] = Architecture.Name,
            ["width"] = Architecture.Width.ToString("R", CultureInfo.InvariantCulture),
            [Granularity] = Alpha.Layout.IsPerKernel ? PerKernel : "filter",
            ["target"] = Target,
            ["sources"] = JsonSerializer.Serialize(Sources),
        };
        Signature?.AddTo(metadata);
        if (!KernelWeights.AreShares(Alpha)) metadata[Shares] = NoShares;
        if (BatchNorm == BatchNormPolicy.Mix) metadata[BatchNormKey] = Mixed;
        return file.Write(metadata);
    }

    /// <summary>Reads such a file.</summary>
    /// <param name="origin">What messages call the file.</param>
    /// <exception cref="InputException">It is damaged, another kind of file, or does not fit the architecture it names.</exception>
    public static LearnedKernelWeights Read(byte[] file, string origin)
    {
        using var read = ModelFile.Read(file, origin);
        return Read(read, origin);
    }

    /// <inheritdoc cref="Read(byte[], string)" />
    public static LearnedKernelWeights Read(ModelFile file, string origin) => Read(file, origin, Architectures.Create);

    /// <param name="create">Gives an architecture by name and width.</param>
    internal static LearnedKernelWeights Read(ModelFile file, string origin, Func<string, double, Architecture> create)
    {
        if (file.Metadata.GetValueOrDefault("format") != Format)
        {
            throw new InputException(
                $"{origin} holds no kernel weights (its metadata lack the format '{Format}'). `medmerge inspect` shows what it is.");
        }
        try
        {
            return ReadContent(file, create);
        }
        catch (FormatException error)
        {
            throw new InputException($"{origin} is not a whole file of kernel weights: {error.Message}.", error);
        }
    }

    /// <exception cref="FormatException">Says what is wrong with it.</exception>
    private static LearnedKernelWeights ReadContent(ModelFile file, Func<string, double, Architecture> create)
    {
        var architecture = ReadArchitecture(file, create);
        var groups = new ChannelGroups(architecture);
        var sources = ReadSources(file).Select((source, i) => source with { Order = ReadOrder(file, groups, i) }).ToList();
        var alpha = ReadAlpha(file, architecture, sources.Count);
        var target = ReadTarget(file, architecture);
        HashSet<string> ownNames =
        [
            .. architecture.Layers.Select(AlphaName),
            .. sources.Index().SelectMany(_ => groups.Groups, (source, group) => OrderName(source.Index, group.Name)),
        ];
        var names = file.Tensors.Select(tensor => tensor.Name);
        if (names.FirstOrDefault(name => !target.ContainsKey(name) && !ownNames.Contains(name)) is { } other)
            throw new FormatException($"it also has '{other}', which is nothing that a {architecture.Title} needs");
        if (file.Tensors.FirstOrDefault(FloatReader.HasNonFinite) is { } bad)
            throw new FormatException($"it holds NaN or infinite values in '{bad.Name}'");
        if (file.Metadata.GetValueOrDefault(Shares) != NoShares && !KernelWeights.AreShares(alpha))
        {
            throw new FormatException(
                "its kernel weights are no shares of the sources: some are negative, or those of a filter do not add up to 1");
        }
        if (target.FirstOrDefault(pair => IsVariance(pair.Key) && pair.Value.Values.Any(value => value < 0)).Key is { } negative)
            throw new FormatException($"it holds negative variances in '{negative}'");
        return new LearnedKernelWeights(sources, Metadata(file, "target"), alpha, target)
        {
            BatchNorm = file.Metadata.GetValueOrDefault(BatchNormKey) == Mixed ? BatchNormPolicy.Mix : BatchNormPolicy.Fold,
            Signature = ModelSignature.Read(file.Metadata),
        };
    }

    private static KernelWeightMatrix ReadAlpha(ModelFile file, Architecture architecture, int sources)
    {
        var layout = file.Metadata.GetValueOrDefault(Granularity) == PerKernel
            ? KernelWeightLayout.PerKernel(architecture)
            : KernelWeightLayout.PerFilter(architecture);
        var alpha = new KernelWeightMatrix(architecture, sources, new double[sources * layout.Count]);
        for (var l = 0; l < architecture.Layers.Count; l++)
        {
            var values = ReadTensor<double>(file, AlphaName(architecture.Layers[l]), alpha.ShapeOf(l)).Values;
            for (var i = 0; i < sources; i++) values.AsSpan(i * layout.Length(l), layout.Length(l)).CopyTo(alpha.Row(i, l));
        }
        return alpha;
    }

    private static ChannelOrder? ReadOrder(ModelFile file, ChannelGroups groups, int source)
    {
        var named = groups.Groups
            .Where(group => file.Contains(OrderName(source, group.Name)))
            .ToDictionary(group => group.Name, group => ReadTensor<int>(file, OrderName(source, group.Name), group.Size).Values);
        return named.Count == 0 ? null : ChannelOrder.FromNamed(groups, named);
    }

    private static OrderedDictionary<string, PlainTensor> ReadTarget(ModelFile file, Architecture architecture)
    {
        var target = new OrderedDictionary<string, PlainTensor>(StringComparer.Ordinal);
        foreach (var norm in architecture.Norms)
        {
            Add(norm.Mean, norm.Channels);
            Add(norm.Variance, norm.Channels);
        }
        foreach (var layer in architecture.Layers.Where(layer => file.Contains(layer.Norms))) Add(layer.Norms, layer.Out);
        foreach (var norm in architecture.Norms)
        {
            foreach (var (name, _) in ActivationRescaling.NamesOf(norm).Where(names => file.Contains(names.Name)))
                Add(name, norm.Channels);
        }
        var (weight, bias) = (architecture.Classifier + ".weight", architecture.Classifier + ".bias");
        Add(weight, AnySize, architecture.Features);
        Add(bias, target[weight].Shape[0]);
        return target;

        void Add(string name, params long[] shape)
        {
            var (found, values) = ReadTensor<float>(file, name, shape);
            target.Add(name, new PlainTensor(found, values));
        }
    }

    private static bool IsVariance(string name) => name.EndsWith(".running_var", StringComparison.Ordinal);

    private static string AlphaName(Layer layer) => "alpha." + layer.Name;

    private static string OrderName(int source, string group) => $"order.{source}.{group}";

    private static string Metadata(ModelFile file, string key) =>
        file.Metadata.GetValueOrDefault(key) ?? throw new FormatException($"its metadata lack '{key}'");

    private static Architecture ReadArchitecture(ModelFile file, Func<string, double, Architecture> create)
    {
        var text = Metadata(file, "width");
        if (!double.TryParse(text, CultureInfo.InvariantCulture, out var width))
            throw new FormatException($"its width is '{text}', which is no number");
        try
        {
            return create(Metadata(file, "architecture"), width);
        }
        catch (InputException error)
        {
            throw new FormatException(error.Message.TrimEnd('.'), error);
        }
    }

    private static List<WeightedSource> ReadSources(ModelFile file)
    {
        try
        {
            return JsonSerializer.Deserialize<List<WeightedSource?>>(Metadata(file, "sources")) is { Count: > 0 } sources
                ? sources.ConvertAll(CheckComplete)
                : throw new FormatException("it names no sources");
        }
        catch (JsonException error)
        {
            throw new FormatException($"its list of sources is not valid JSON ({error.Message})", error);
        }

        static WeightedSource CheckComplete(WeightedSource? source) => source is { Name.Length: > 0, Sha256.Length: > 0 }
            ? source
            : throw new FormatException("one of its sources lacks its name or its hash");
    }

    /// <summary>The tensor of that name, if it is as the model needs it.</summary>
    private static (IReadOnlyList<long> Shape, T[] Values) ReadTensor<T>(ModelFile file, string name, params long[] shape)
        where T : unmanaged
    {
        var type = ElementType.Of<T>().Name;
        var sizes = shape.Select(size => size == AnySize ? "classes" : $"{size}");
        var expected = $"expected {type} [{string.Join(", ", sizes)}]";
        if (file.Find(name) is not { } tensor) throw new FormatException($"it lacks '{name}', {expected}");
        var fits = tensor.Type == type
                   && tensor.Shape.Count == shape.Length
                   && tensor.Shape.Zip(shape, (found, size) => size is AnySize || found == size).All(isSame => isSame);
        if (!fits) throw new FormatException($"its '{name}' is {tensor.Type} [{string.Join(", ", tensor.Shape)}], {expected}");
        var values = new T[tensor.Count];
        tensor.Open()(0, MemoryMarshal.AsBytes(values.AsSpan()));
        return (tensor.Shape, values);
    }
}

using System.Globalization;
using System.Text.Json;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>A source that kernel weights were learned for.</summary>
/// <param name="Sha256">The hash of the backbone they belong to (<see cref="SourceHash"/>).</param>
public sealed record WeightedSource(string Name, string Sha256);

/// <summary>
/// All that was learned on the target, in a small file: applied to the same source models it gives the merged model again, without data.
/// </summary>
/// <param name="Architecture">The sources' architecture.</param>
/// <param name="Sources">In the order of α's rows.</param>
/// <param name="Target">The data set it was learned on, as shown to people.</param>
/// <param name="Alpha">[sources × filters], row-major.</param>
/// <param name="TargetTensors">Each layer's batch norm mean and variance on the target, and the classifier, under their names in the model.</param>
public sealed record LearnedKernelWeights(
    Architecture Architecture, IReadOnlyList<WeightedSource> Sources, string Target, double[] Alpha, StateDict TargetTensors) : IDisposable
{
    /// <summary>What the metadata <c>format</c> of such a file says.</summary>
    public const string Format = "medmerge kernel weights 1";

    private const double SumTolerance = 1e-6;
    private const long AnySize = -1;

    /// <summary>The merged model under the architecture's own names.</summary>
    /// <param name="sources">The prepared sources, in the order of <see cref="Sources"/>.</param>
    public StateDict Apply(IReadOnlyList<PreparedSource> sources)
    {
        using var scope = NewDisposeScope();
        var (kernels, biases) = KernelFolding.Fold(Architecture, sources, Alpha);
        return BatchNormRestoration.Restore(Architecture, kernels, biases, TargetTensors);
    }

    /// <summary>The safetensors file: <c>alpha.LAYER</c> [sources, out] in float64, then the target's tensors.</summary>
    public byte[] Write()
    {
        using var scope = NewDisposeScope();
        var tensors = new OrderedDictionary<string, Tensor>();
        var all = tensor(Alpha).view(Sources.Count, Architecture.Filters);
        var offset = 0;
        foreach (var layer in Architecture.Layers)
        {
            tensors.Add("alpha." + layer.Name, all.narrow(1, offset, layer.Out));
            offset += layer.Out;
        }
        foreach (var (name, value) in TargetTensors) tensors.Add(name, value);
        return Safetensors.Write(tensors, new Dictionary<string, string>
        {
            ["format"] = Format,
            ["architecture"] = Architecture.Name,
            ["width"] = Architecture.Width.ToString("R", CultureInfo.InvariantCulture),
            ["granularity"] = "filter",
            ["target"] = Target,
            ["sources"] = JsonSerializer.Serialize(Sources),
        });
    }

    /// <summary>Reads such a file.</summary>
    /// <exception cref="InputException">It is torn, another kind of file, or does not fit the architecture it names.</exception>
    public static LearnedKernelWeights Read(byte[] file, string origin)
    {
        using var read = ModelFile.Read(file, origin);
        return Read(read, origin);
    }

    /// <inheritdoc cref="Read(byte[], string)" />
    public static LearnedKernelWeights Read(ModelFile file, string origin)
    {
        if (file.Metadata.GetValueOrDefault("format") != Format)
            throw new InputException($"{origin} holds no kernel weights (its metadata lack the format '{Format}'). `medmerge inspect` shows what it is.");
        var target = new StateDict();
        try
        {
            using var scope = NewDisposeScope();
            var architecture = ReadArchitecture(file);
            var sources = ReadSources(file);
            var alpha = cat([.. architecture.Layers.Select(layer => Take(file, "alpha." + layer.Name, ScalarType.Float64, sources.Count, layer.Out))], 1).contiguous().data<double>().ToArray();
            foreach (var layer in architecture.Layers)
            {
                foreach (var name in new[] { layer.BatchNorm + ".running_mean", layer.BatchNorm + ".running_var" })
                    target.Add(name, Take(file, name, ScalarType.Float32, layer.Out).clone());
            }
            var classifier = Take(file, architecture.Classifier + ".weight", ScalarType.Float32, AnySize, architecture.Features);
            target.Add(architecture.Classifier + ".weight", classifier.clone());
            target.Add(architecture.Classifier + ".bias", Take(file, architecture.Classifier + ".bias", ScalarType.Float32, classifier.shape[0]).clone());

            if (file.Names.FirstOrDefault(name => !target.Contains(name) && architecture.Layers.All(layer => name != "alpha." + layer.Name)) is { } other)
                throw new FormatException($"it also has '{other}', which is nothing that a {architecture.Title} needs");
            if (file.Tensors.FirstNonFinite() is { } bad) throw new FormatException($"it holds NaN or infinite values in '{bad}'");
            if (!AreShares(alpha, sources.Count, architecture.Filters))
                throw new FormatException("its kernel weights are no shares of the sources: some are negative, or those of a filter do not add up to 1");
            if (target.FirstNegativeVariance() is { } negative) throw new FormatException($"it holds negative variances in '{negative}'");
            return new LearnedKernelWeights(architecture, sources, Metadata(file, "target"), alpha, target);
        }
        catch (Exception error)
        {
            target.Dispose();
            if (error is FormatException) throw new InputException($"{origin} is not a whole file of kernel weights: {error.Message}.", error);
            throw;
        }
    }

    private static bool AreShares(double[] alpha, int sources, int filters) =>
        alpha.All(share => share >= 0) && Enumerable.Range(0, filters).All(filter => Math.Abs(Enumerable.Range(0, sources).Sum(source => alpha[(source * filters) + filter]) - 1) <= SumTolerance);

    private static string Metadata(ModelFile file, string key) =>
        file.Metadata.GetValueOrDefault(key) ?? throw new FormatException($"its metadata lack '{key}'");

    private static Architecture ReadArchitecture(ModelFile file)
    {
        var text = Metadata(file, "width");
        if (!double.TryParse(text, CultureInfo.InvariantCulture, out var width)) throw new FormatException($"its width is '{text}', which is no number");
        try
        {
            return Architectures.Create(Metadata(file, "architecture"), width);
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
                ? sources.ConvertAll(source => source is { Name.Length: > 0, Sha256.Length: > 0 } ? source : throw new FormatException("one of its sources lacks its name or its hash"))
                : throw new FormatException("it names no sources");
        }
        catch (JsonException error)
        {
            throw new FormatException($"its sources are not the JSON they should be ({error.Message})", error);
        }
    }

    /// <summary>The tensor of that name, if it is as the model needs it.</summary>
    private static Tensor Take(ModelFile file, string name, ScalarType type, params long[] shape)
    {
        var wanted = $"wanted {ElementType.Of(type).Name} [{string.Join(", ", shape.Select(size => size == AnySize ? "classes" : $"{size}"))}]";
        if (file.Unread.FirstOrDefault(unread => unread.Name == name) is { } other)
            throw new FormatException($"its '{name}' is {other.Type} [{string.Join(", ", other.Shape)}], {wanted}");
        if (!file.Tensors.Contains(name)) throw new FormatException($"it lacks '{name}', {wanted}");
        var tensor = file.Tensors[name];
        return tensor.dtype == type && tensor.shape.Length == shape.Length && tensor.shape.Zip(shape, (found, size) => size is AnySize || found == size).All(fits => fits)
            ? tensor
            : throw new FormatException($"its '{name}' is {ElementType.Of(tensor.dtype).Name} [{string.Join(", ", tensor.shape)}], {wanted}");
    }

    /// <inheritdoc />
    public void Dispose() => TargetTensors.Dispose();
}

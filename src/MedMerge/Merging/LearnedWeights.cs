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
public sealed record LearnedWeights(
    Architecture Architecture, IReadOnlyList<WeightedSource> Sources, string Target, double[] Alpha, StateDict TargetTensors) : IDisposable
{
    private const string Format = "medmerge kernel weights 1";

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
    /// <exception cref="InputException">It is torn or another kind of file.</exception>
    public static LearnedWeights Read(byte[] file, string origin)
    {
        TorchRuntime.Start();
        var (tensors, metadata) = Safetensors.Read(file, origin);
        using (tensors)
        {
            if (metadata.GetValueOrDefault("format") != Format)
                throw new InputException($"{origin} holds no kernel weights (its metadata lack the format '{Format}'). `medmerge inspect` shows what it is.");
            try
            {
                var architecture = Architectures.Create(metadata["architecture"], double.Parse(metadata["width"], CultureInfo.InvariantCulture));
                var sources = JsonSerializer.Deserialize<List<WeightedSource>>(metadata["sources"]) ?? throw new JsonException("it is null");
                using var scope = NewDisposeScope();
                var alpha = cat([.. architecture.Layers.Select(layer => tensors["alpha." + layer.Name])], 1).contiguous().data<double>().ToArray();
                if (alpha.Length != sources.Count * architecture.Filters) throw new FormatException("α does not fit its architecture");
                var target = new StateDict();
                foreach (var (name, value) in tensors.Where(pair => !pair.Key.StartsWith("alpha.", StringComparison.Ordinal))) target.Add(name, value.clone());
                return new LearnedWeights(architecture, sources, metadata["target"], alpha, target);
            }
            catch (Exception error) when (error is KeyNotFoundException or FormatException or JsonException or System.Runtime.InteropServices.ExternalException)
            {
                throw new InputException($"{origin} is not a whole file of kernel weights: {error.Message}", error);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => TargetTensors.Dispose();
}

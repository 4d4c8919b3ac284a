using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Reporting;
using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge inspect FILE</c>: shows the contents of a weight file.</summary>
internal static class InspectCommand
{
    private const int MaxShown = 8;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    public static Command Create(TextWriter output)
    {
        var file = new Argument<string>("file")
        {
            Description = "A safetensors file, a PyTorch checkpoint, in the current or the legacy format, or an ONNX model.",
            HelpName = "FILE",
        };
        var json = CommonOptions.Json();
        var command = new Command(
            "inspect",
            "Shows a weight file: its format, matching architectures and tensors; for kernel weights, each source's mean weight by layer.")
        {
            file,
            json,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(parsed.GetValue(file)!, parsed.GetValue(json), output, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string path, bool json, TextWriter output, CancellationToken cancellation)
    {
        using var file = ModelFile.Read(path);
        var models = ModelImport.Recognise(file).Select(found => new FoundModel(found.Architecture.Title, found.Prefix)).ToList();
        var tensors = DescribeTensors(file);
        if (json)
        {
            await output.WriteLineAsync(RenderJson(file, models, tensors).AsMemory(), cancellation);
            return ExitCodes.Done;
        }
        var isKernelWeights = file.Metadata.GetValueOrDefault("format") == LearnedKernelWeights.Format;
        var learned = isKernelWeights ? LearnedKernelWeights.Read(file, $"'{path}'") : null;
        await WriteSummaryAsync(path, file, tensors, output);
        if (learned is not null)
        {
            await output.WriteAsync("\n" + RenderKernelWeights(learned));
            return ExitCodes.Done;
        }
        await output.WriteLineAsync(DescribeModels(models));
        await output.WriteAsync("\n" + RenderTensors(tensors));
        return ExitCodes.Done;
    }

    private static List<TensorSummary> DescribeTensors(ModelFile file)
    {
        return [.. file.Tensors.Select(Describe)];

        static TensorSummary Describe(StoredTensor tensor)
        {
            var summary = new TensorSummary(tensor.Name, tensor.Type, tensor.Shape, Rms: null);
            if (!tensor.IsFloat || summary.Count == 0) return summary;
            using var values = tensor.Read();
            return summary with { Rms = ComputeRms(values), HasNonFinite = FloatReader.HasNonFinite(tensor) };
        }
    }

    private static string RenderJson(ModelFile file, IReadOnlyList<FoundModel> models, IReadOnlyList<TensorSummary> tensors)
    {
        var summary = new
        {
            file.Format,
            Models = models,
            file.Unread,
            file.Metadata,
            NonFinite = tensors.FirstOrDefault(tensor => tensor.HasNonFinite)?.Name,
            Tensors = tensors,
        };
        return JsonSerializer.Serialize(summary, Indented);
    }

    private static async Task WriteSummaryAsync(
        string path,
        ModelFile file,
        IReadOnlyList<TensorSummary> tensors,
        TextWriter output)
    {
        var values = tensors.Sum(tensor => tensor.Count);
        await output.WriteLineAsync($"{path}: {file.Format}, {tensors.Count} tensors, {values:N0} values");
        foreach (var (name, type) in file.Unread.Take(MaxShown))
            await output.WriteLineAsync($"  not read: '{name}', an object of '{type}'");
        if (tensors.FirstOrDefault(tensor => tensor.HasNonFinite) is { } bad)
            await output.WriteLineAsync($"  NaN or infinite values in '{bad.Name}'");
        foreach (var (key, value) in file.Metadata) await output.WriteLineAsync($"  {key}: {value}");
    }

    private static string DescribeModels(IReadOnlyList<FoundModel> models)
    {
        if (models.Count == 0) return "  fits no known architecture at any width";
        var isWhole = models.All(model => model.Prefix.Length == 0);
        return string.Join('\n', models.Take(MaxShown).Select(model => isWhole
            ? $"  fits {model.Architecture}"
            : $"  fits {model.Architecture} under '{(model.Prefix.Length == 0 ? "." : model.Prefix)}'"));
    }

    private static string RenderTensors(IReadOnlyList<TensorSummary> tensors)
    {
        var rows = new List<IReadOnlyList<string>> { (string[])["tensor", "type", "shape", "rms"] };
        rows.AddRange(tensors.Select(tensor => (string[])
        [
            tensor.Name,
            tensor.Type,
            $"[{string.Join(", ", tensor.Shape)}]",
            tensor.Rms?.ToString("G4", CultureInfo.InvariantCulture) ?? "",
        ]));
        return TextTable.Render(rows);
    }

    /// <summary>Renders each layer's mean α by source.</summary>
    private static string RenderKernelWeights(LearnedKernelWeights learned)
    {
        var rows = new List<IReadOnlyList<string>> { (string[])["layer", .. learned.Sources.Select(source => source.Name)] };
        for (var l = 0; l < learned.Architecture.Layers.Count; l++)
        {
            var means = learned.Sources.Select((_, source) => learned.Alpha.Row(source, l).ToArray().Average());
            rows.Add([learned.Architecture.Layers[l].Name, .. means.Select(mean => mean.ToString("0.000", CultureInfo.InvariantCulture))]);
        }
        return $"Mean kernel weight by layer\n\n{TextTable.Render(rows)}";
    }

    /// <summary>The root mean square of a tensor's values; null where it is not finite or not defined.</summary>
    private static double? ComputeRms(torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        var rms = tensor.to(torch.ScalarType.Float64).Squared().mean().sqrt().item<double>();
        return double.IsFinite(rms) ? rms : null;
    }

    /// <param name="Prefix">What stands before its tensors' names.</param>
    private sealed record FoundModel(string Architecture, string Prefix);

    private sealed record TensorSummary(string Name, string Type, IReadOnlyList<long> Shape, double? Rms)
    {
        [JsonIgnore]
        public bool HasNonFinite { get; init; }

        [JsonIgnore]
        public long Count => Shape.Aggregate(1L, (product, size) => product * size);
    }
}

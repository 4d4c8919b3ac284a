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
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    public static Command Create(TextWriter output)
    {
        var file = new Argument<string>("file")
        {
            Description = "A safetensors file or PyTorch checkpoint, in the current or the legacy format.",
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
        var architectures = ModelImport.Recognise(file).Select(architecture => architecture.Title).ToList();
        var tensors = DescribeTensors(file);
        if (json)
        {
            await output.WriteLineAsync(RenderJson(file, architectures, tensors).AsMemory(), cancellation);
            return ExitCodes.Done;
        }
        var isKernelWeights = file.Metadata.GetValueOrDefault("format") == LearnedKernelWeights.Format;
        using var learned = isKernelWeights ? LearnedKernelWeights.Read(file, $"'{path}'") : null;
        await WriteSummaryAsync(path, file, tensors, output);
        if (learned is not null)
        {
            await output.WriteAsync("\n" + RenderKernelWeights(learned));
            return ExitCodes.Done;
        }
        await output.WriteLineAsync(DescribeArchitectures(architectures));
        await output.WriteAsync("\n" + RenderTensors(tensors));
        return ExitCodes.Done;
    }

    private static List<TensorSummary> DescribeTensors(ModelFile file)
    {
        var readable = file.Tensors.Select(pair => new TensorSummary(
            pair.Key,
            ElementType.Of(pair.Value.dtype).Name,
            pair.Value.shape,
            ComputeRms(pair.Value)));
        var unread = file.Unread.Select(tensor => new TensorSummary(tensor.Name, tensor.Type, tensor.Shape, Rms: null));
        return [.. readable, .. unread];
    }

    private static string RenderJson(ModelFile file, IReadOnlyList<string> architectures, IReadOnlyList<TensorSummary> tensors)
    {
        var summary = new
        {
            file.Format,
            file.Notes,
            Architectures = architectures,
            file.Metadata,
            NonFinite = file.Tensors.FirstNonFinite(),
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
        foreach (var note in file.Notes) await output.WriteLineAsync($"  {note}");
        if (file.Tensors.FirstNonFinite() is { } bad) await output.WriteLineAsync($"  NaN or infinite values in '{bad}'");
        foreach (var (key, value) in file.Metadata) await output.WriteLineAsync($"  {key}: {value}");
    }

    private static string DescribeArchitectures(IReadOnlyList<string> architectures) => architectures.Count > 0
        ? $"  fits {string.Join(", ", architectures)}"
        : "  fits no known architecture at width 1 or at the width in its metadata";

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
        if (!tensor.is_floating_point() || tensor.numel() == 0) return null;
        using var scope = torch.NewDisposeScope();
        var rms = tensor.to(torch.ScalarType.Float64).Squared().mean().sqrt().item<double>();
        return double.IsFinite(rms) ? rms : null;
    }

    private sealed record TensorSummary(string Name, string Type, IReadOnlyList<long> Shape, double? Rms)
    {
        [JsonIgnore]
        public long Count => Shape.Aggregate(1L, (product, size) => product * size);
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Reporting;
using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge inspect FILE</c>: what is in a weight file.</summary>
internal static class InspectCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static Command Create(TextWriter output)
    {
        var file = new Argument<string>("file") { Description = "A safetensors file or PyTorch checkpoint, old or new.", HelpName = "FILE" };
        var json = CommonOptions.Json();
        var command = new Command("inspect", "Shows any weight file: its format, the architecture it fits, its tensors; for kernel weights, who weighs how much.") { file, json };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(file)!, parsed.GetValue(json), output, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string path, bool json, TextWriter output, CancellationToken cancellation)
    {
        using var file = ModelFile.Read(path);
        var fits = ModelImport.Recognise(file).Select(architecture => architecture.Title).ToList();
        var tensors = file.Tensors.Select(pair => (Name: pair.Key, Type: ElementType.Of(pair.Value.dtype).Name, Shape: (IReadOnlyList<long>)pair.Value.shape, Rms: Rms(pair.Value)))
            .Concat(file.Unread.Select(tensor => (tensor.Name, tensor.Type, tensor.Shape, Rms: (double?)null)))
            .Select(tensor => new { tensor.Name, tensor.Type, tensor.Shape, tensor.Rms }).ToList();
        if (json)
        {
            var text = JsonSerializer.Serialize(new { file.Format, file.Notes, Architectures = fits, file.Metadata, NonFinite = file.Tensors.FirstNonFinite(), Tensors = tensors }, Indented);
            await output.WriteLineAsync(text.AsMemory(), cancellation);
            return ExitCodes.Done;
        }
        using var learned = file.Metadata.GetValueOrDefault("format") == LearnedKernelWeights.Format ? LearnedKernelWeights.Read(file, $"'{path}'") : null;
        await output.WriteLineAsync($"{path}: {file.Format}, {tensors.Count} tensors, {tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)):N0} values");
        foreach (var note in file.Notes) await output.WriteLineAsync($"  {note}");
        if (file.Tensors.FirstNonFinite() is { } bad) await output.WriteLineAsync($"  NaN or infinite values in '{bad}'");
        foreach (var (key, value) in file.Metadata) await output.WriteLineAsync($"  {key}: {value}");
        if (learned is not null)
        {
            await output.WriteAsync("\n" + Weights(learned));
            return ExitCodes.Done;
        }
        await output.WriteLineAsync(fits.Count > 0 ? $"  fits {string.Join(", ", fits)}" : "  fits no architecture known here at width 1, nor at a width that its metadata name");
        var rows = new List<IReadOnlyList<string>> { (string[])["tensor", "type", "shape", "rms"] };
        rows.AddRange(tensors.Select(tensor => (string[])[tensor.Name, tensor.Type, $"[{string.Join(", ", tensor.Shape)}]", tensor.Rms?.ToString("G4", CultureInfo.InvariantCulture) ?? ""]));
        await output.WriteAsync("\n" + TextTable.Render(rows));
        return ExitCodes.Done;
    }

    /// <summary>Each layer's mean α, source by source.</summary>
    private static string Weights(LearnedKernelWeights learned)
    {
        var rows = new List<IReadOnlyList<string>> { (string[])["layer", .. learned.Sources.Select(source => source.Name)] };
        for (var l = 0; l < learned.Architecture.Layers.Count; l++)
        {
            var means = learned.Sources.Select((_, source) => learned.Alpha.Row(source, l).ToArray().Average());
            rows.Add([learned.Architecture.Layers[l].Name, .. means.Select(mean => mean.ToString("0.000", CultureInfo.InvariantCulture))]);
        }
        return $"Mean kernel weight by layer\n\n{TextTable.Render(rows)}";
    }

    private static double? Rms(torch.Tensor tensor)
    {
        if (!tensor.is_floating_point() || tensor.numel() == 0) return null;
        using var scope = torch.NewDisposeScope();
        var rms = tensor.to(torch.ScalarType.Float64).Squared().mean().sqrt().item<double>();
        return double.IsFinite(rms) ? rms : null;
    }
}

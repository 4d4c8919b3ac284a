using System.CommandLine;
using System.Globalization;
using MedMerge.Models;
using MedMerge.Models.Onnx;
using MedMerge.Storage;
using MedMerge.Tensors;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge export FILE --output MODEL.onnx</c>: writes a model as ONNX.</summary>
internal static class ExportCommand
{
    private const string Extension = ".onnx";
    private const int MaxSide = 65536;

    public static Command Create(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("file")
        {
            Description = "A weight file with a classifier: safetensors, PyTorch checkpoint or ONNX.",
            HelpName = "FILE",
        };
        var target = new Option<string>("--output")
        {
            Description = "The ONNX file.",
            HelpName = $"FILE{Extension}",
            Required = true,
        };
        var architecture = new Option<string>("--architecture")
        {
            Description = $"One of {string.Join(", ", Architectures.Names)}; by default the one that the file's metadata name.",
            HelpName = "NAME",
        };
        var width = new Option<double?>("--width")
        {
            Description = "Multiplies every layer's channels; by default as in the file's metadata, or 1.",
            HelpName = "W",
        };
        var size = new Option<string>("--size")
        {
            Description = "Height and width of the images, for an architecture whose ONNX model takes one size only (vgg16_bn); " +
                          "by default as in the file's metadata.",
            HelpName = "HxW",
        };
        var command = new Command(
            "export",
            "Writes a model as ONNX, from normalised images to logits, with the file's metadata.")
        {
            file,
            target,
            architecture,
            width,
            size,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(file)!,
            parsed.GetValue(target)!,
            (parsed.GetValue(architecture), parsed.GetValue(width)),
            parsed.GetValue(size),
            output,
            error,
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        string path,
        string target,
        (string? Architecture, double? Width) named,
        string? sizeText,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellation)
    {
        OutputFolder.CheckFile(target, [path]);
        var origin = $"'{path}'";
        TorchRuntime.Start();
        using var file = ModelFile.Open(path);
        var architecture = FindArchitecture(file, named.Architecture, named.Width, origin);
        var signature = ModelSignature.Read(file.Metadata);
        (int Height, int Width)? size = OnnxExport.NeedsSize(architecture) ? FindSize(architecture, sizeText, signature) : null;
        var notes = new List<string>();
        using var model = ModelImport.Import(architecture, file, chosen: null, origin, notes);
        if (!model.Contains(architecture.Classifier + ".weight"))
            throw new InputException($"{origin} has no classifier '{architecture.Classifier}', so it gives no logits to export.");
        if (signature is null) notes.Add("names no input normalisation, so neither does the ONNX model");
        foreach (var note in notes) await error.WriteLineAsync($"note: {origin}: {note}");

        var exported = OnnxExport.Write(architecture, model, size, ModelMetadata.Of(architecture, signature));
        await AtomicFile.WriteAsync(target, stream => exported.WriteAsync(stream, cancellation), overwrite: true);
        await output.WriteLineAsync($"Wrote {origin} as ONNX into '{target}' ({architecture.Title}).");
        return ExitCodes.Done;
    }

    private static Architecture FindArchitecture(ModelFile file, string? name, double? width, string origin)
    {
        name ??= file.Metadata.GetValueOrDefault("architecture")
            ?? throw new InputException($"The metadata of {origin} name no architecture; name it with --architecture.");
        if (width is null && file.Metadata.TryGetValue("width", out var text))
        {
            width = double.TryParse(text, CultureInfo.InvariantCulture, out var parsed)
                ? parsed
                : throw new InputException($"The width in the metadata of {origin} is '{text}', which is no number; name it with --width.");
        }
        return Architectures.Create(name, width ?? 1);
    }

    private static (int Height, int Width) FindSize(Architecture architecture, string? text, ModelSignature? signature)
    {
        var size = text is null ? (signature?.Height, signature?.Width) : Parse(text);
        if (size is not ({ } height, { } width))
        {
            throw new InputException(
                $"An ONNX model of {architecture.Title} takes images of one size, which the file's metadata don't name; " +
                "name it with --size, such as --size 224x224.");
        }
        if (Math.Min(height, width) >= architecture.MinSide && Math.Max(height, width) <= MaxSide) return (height, width);
        throw new InputException(
            $"{architecture.Title} takes images of {architecture.MinSide} to {MaxSide} pixels on either side; " +
            $"the size is {height}x{width}.");
    }

    private static (int? Height, int? Width) Parse(string text) =>
        text.Split('x') is [var first, var second]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var height)
        && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            ? (height, width)
            : throw new InputException($"--size '{text}' must be height and width in pixels, such as 224x224.");
}

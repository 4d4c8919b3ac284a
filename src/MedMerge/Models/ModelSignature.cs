using System.Text.Encodings.Web;
using System.Text.Json;
using MedMerge.Data;

namespace MedMerge.Models;

/// <summary>
/// What a model takes and gives: the normalisation and size of the images that it was trained on, and what its classes are called. In a
/// file's metadata it has the keys of timm's configurations: <c>mean</c>, <c>std</c>, <c>input_size</c> [channels, height, width]; and
/// <c>class_names</c>. Values are JSON.
/// </summary>
/// <param name="Height">In pixels; null where a file does not say.</param>
/// <param name="Width">In pixels; null where a file does not say.</param>
/// <param name="ClassNames">By label; empty where they are not known.</param>
internal sealed record ModelSignature(InputNormalisation Normalisation, int? Height, int? Width, IReadOnlyList<string> ClassNames)
{
    private const string Mean = "mean", Deviation = "std", InputSize = "input_size", Classes = "class_names";
    private const string ProblemType = "problem_type"; // Hugging Face's term, and so is its value

    /// <summary>The kind of problem in which an image may have several classes.</summary>
    public const string MultiLabel = "multi_label_classification";

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether an image may have several classes: each logit goes through a sigmoid of its own.</summary>
    public bool IsMultiLabel { get; init; }

    /// <summary>That of a model which was trained on a data set.</summary>
    public static ModelSignature Of(ImageDataset dataset) =>
        new(InputNormalisation.Of(dataset), dataset.Height, dataset.Width, dataset.Info.ClassNames) { IsMultiLabel = dataset.IsMultiLabel };

    /// <summary>Reads a file's metadata.</summary>
    /// <returns>Null where they name no normalisation, or not in this form: other programs use such keys too.</returns>
    public static ModelSignature? Read(IReadOnlyDictionary<string, string> metadata)
    {
        if (Parse<double[]>(metadata, Mean) is not { Length: InputNormalisation.Channels } mean) return null;
        if (Parse<double[]>(metadata, Deviation) is not { Length: InputNormalisation.Channels } deviation) return null;
        if (!mean.All(double.IsFinite) || !deviation.All(value => double.IsFinite(value) && value > 0)) return null;
        var size = Parse<int[]>(metadata, InputSize) is [_, > 0 and var height, > 0 and var width] ? (height, width) : ((int, int)?)null;
        var names = Parse<string?[]>(metadata, Classes)?.OfType<string>().ToList();
        return new ModelSignature(new InputNormalisation(mean, deviation), size?.Item1, size?.Item2, names ?? [])
        {
            IsMultiLabel = metadata.TryGetValue(ProblemType, out var type) && type == MultiLabel,
        };
    }

    /// <summary>Adds what <see cref="Read"/> reads.</summary>
    public void AddTo(IDictionary<string, string> metadata)
    {
        metadata[Mean] = JsonSerializer.Serialize(Normalisation.Mean);
        metadata[Deviation] = JsonSerializer.Serialize(Normalisation.Deviation);
        if (Height is { } height && Width is { } width)
            metadata[InputSize] = JsonSerializer.Serialize((int[])[InputNormalisation.Channels, height, width]);
        if (IsMultiLabel) metadata[ProblemType] = MultiLabel;
        if (ClassNames.Count > 0) metadata[Classes] = JsonSerializer.Serialize(ClassNames, Json);
    }

    private static T? Parse<T>(IReadOnlyDictionary<string, string> metadata, string key) where T : class
    {
        try
        {
            return metadata.TryGetValue(key, out var text) ? JsonSerializer.Deserialize<T>(text) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

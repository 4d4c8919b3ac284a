using System.Globalization;

namespace MedMerge.Models;

/// <summary>What exported models say about themselves.</summary>
internal static class ModelMetadata
{
    /// <summary>Metadata for a safetensors file; "pt" means to Python's readers that the names are PyTorch's.</summary>
    /// <param name="signature">What the model takes and gives; null where that is not known.</param>
    public static IReadOnlyDictionary<string, string> Of(Architecture architecture, ModelSignature? signature)
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = "pt",
            ["architecture"] = architecture.Name,
            ["width"] = architecture.Width.ToString("R", CultureInfo.InvariantCulture),
        };
        signature?.AddTo(metadata);
        return metadata;
    }
}

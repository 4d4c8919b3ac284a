using System.Globalization;

namespace MedMerge.Models;

/// <summary>What exported models say about themselves.</summary>
internal static class ModelMetadata
{
    /// <summary>Metadata for a safetensors file; "pt" means to Python's readers that the names are PyTorch's.</summary>
    public static IReadOnlyDictionary<string, string> Of(Architecture architecture) => new Dictionary<string, string>
    {
        ["format"] = "pt",
        ["architecture"] = architecture.Name,
        ["width"] = architecture.Width.ToString("R", CultureInfo.InvariantCulture),
    };

    /// <summary>The architecture that a file's metadata name; null where they name none, or an unknown one.</summary>
    public static Architecture? Read(IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("architecture", out var name)) return null;
        if (!double.TryParse(metadata.GetValueOrDefault("width"), CultureInfo.InvariantCulture, out var width)) return null;
        try
        {
            return Architectures.Create(name, width);
        }
        catch (InputException)
        {
            return null;
        }
    }
}

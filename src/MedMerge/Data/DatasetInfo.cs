using System.Text.Json.Serialization;

namespace MedMerge.Data;

/// <summary>What is known about a data set besides its images and labels.</summary>
internal sealed record DatasetInfo
{
    private const string Synthetic = " (synthetic)";

    /// <summary>As shown in tables.</summary>
    public required string Name { get; init; }

    /// <summary>Pixels from top to bottom.</summary>
    public required int Height { get; init; }

    /// <summary>Pixels from left to right.</summary>
    public required int Width { get; init; }

    /// <summary>1 for grey, 3 for RGB.</summary>
    public required int Channels { get; init; }

    /// <summary>The number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Whether an image may have several of the classes, or none: they are labels then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsMultiLabel { get; init; }

    /// <summary>The classes' names by label; empty where the format has none.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Where the images come from.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>Bytes of an image.</summary>
    [JsonIgnore]
    public long ImageBytes => checked((long)Height * Width * Channels);

    /// <summary>The name, with "(synthetic)" behind it where it is.</summary>
    [JsonIgnore]
    public string Title => GetTitle(Name, Provenance.IsSynthetic);

    /// <summary>A name with "(synthetic)" behind it where it is.</summary>
    public static string GetTitle(string name, bool isSynthetic) => isSynthetic ? name + Synthetic : name;

    /// <summary>Whether a title is that of a synthetic data set.</summary>
    public static bool IsSyntheticTitle(string title) => title.EndsWith(Synthetic, StringComparison.Ordinal);
}

/// <summary>Where a data set comes from. No number depends on it.</summary>
/// <param name="Format">How it was given: <c>MedMNIST .npz</c>.</param>
/// <param name="Sha256">Hash of the bytes that were read, in hexadecimal; null if nothing was.</param>
/// <param name="IsSynthetic">Drawn by seed, not taken from patients; shown wherever the data set is named.</param>
internal sealed record Provenance(string Format, string? Sha256, bool IsSynthetic = false);

using System.Globalization;

namespace MedMerge.Data.Catalogue;

/// <summary>One of MedMNIST's two-dimensional data sets, in four sizes (Yang et al. 2023).</summary>
/// <param name="Name">Its file's name without size: <c>breastmnist</c>.</param>
/// <param name="Contents">What its images show.</param>
/// <param name="Train">Images to train on.</param>
/// <param name="Validation">Images for validation.</param>
/// <param name="Test">Images to test on.</param>
internal sealed record MedMnistSet(string Name, string Contents, int Train, int Validation, int Test)
{
    private const string Record = "https://zenodo.org/records/10519652/files/";
    private const int SmallestSize = 28;
    private const int LargestLabelBytes = 8;
    private const int FormatBytes = 1 << 20; // generous: headers of six arrays, and what compression adds to what it can't compress
    private static readonly int[] Sizes = [SmallestSize, 64, 128, 224];

    /// <summary>Classes, or labels where an image has several.</summary>
    public required int Classes { get; init; }

    /// <summary>Whether an image may have several labels, or none.</summary>
    public bool IsMultiLabel { get; init; }

    /// <summary>1 for grey, 3 for RGB.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>Its licence.</summary>
    public string Licence { get; init; } = "CC BY 4.0";

    /// <summary>What it was made of.</summary>
    public required IReadOnlyList<ImageOrigin> Origins { get; init; }

    /// <summary>The MD5 of its files at 28, 64, 128 and 224 pixels.</summary>
    public required IReadOnlyList<string> Md5 { get; init; }

    /// <summary>The lengths of its files from 28 pixels on, as far as a source for them was found.</summary>
    public IReadOnlyList<long> Bytes { get; init; } = [];

    private int Count => Train + Validation + Test;

    /// <summary>Its entry in the catalogue.</summary>
    public CatalogueEntry ToEntry() => new()
    {
        Name = Name,
        Contents = string.Create(
            CultureInfo.InvariantCulture,
            $"{Count:N0} {Contents}, {Classes} {(IsMultiLabel ? "labels" : "classes")}"),
        Licence = Licence,
        Credit = $"MedMNIST v2 (Yang et al. 2023) and {string.Join(", ", Origins)}",
        Files = [.. Enumerable.Range(0, Sizes.Length).Select(CreateFile)],
    };

    private CatalogueFile CreateFile(int place)
    {
        var size = Sizes[place];
        var file = size == SmallestSize ? $"{Name}.npz" : $"{Name}_{size}.npz";
        var bytes = place < Bytes.Count ? Bytes[place] : (long?)null;
        var labels = IsMultiLabel ? Classes : 1;
        var uncompressed = (long)Count * ((size * size * Channels) + (labels * LargestLabelBytes));
        return new CatalogueFile($"{Name}/{file}", new Uri($"{Record}{file}?download=1"), FileHash.Md5(Md5[place]))
        {
            ImageSize = size,
            Bytes = bytes,
            MaxBytes = bytes ?? (uncompressed + FormatBytes),
        };
    }
}

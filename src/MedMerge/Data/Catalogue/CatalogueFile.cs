namespace MedMerge.Data.Catalogue;

/// <summary>A public file: where it is, where it goes, and how a copy is known to be whole.</summary>
/// <param name="Path">Relative to the folder of data, with slashes: <c>breastmnist/breastmnist_64.npz</c>.</param>
/// <param name="Address">Its publisher's; https.</param>
/// <param name="Hash">Its publisher's.</param>
internal sealed record CatalogueFile(string Path, Uri Address, FileHash Hash)
{
    /// <summary>Height and width of its images in pixels; null for weights.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Its length in bytes; null where no source for it was found.</summary>
    public long? Bytes { get; init; }

    /// <summary>The most bytes that it can have: more are not taken.</summary>
    public required long MaxBytes { get; init; }
}

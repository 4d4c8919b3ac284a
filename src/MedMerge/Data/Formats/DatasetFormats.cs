namespace MedMerge.Data.Formats;

/// <summary>Formats of data sets.</summary>
/// <param name="formats">The first that matches a location is used; the last matches every location.</param>
internal sealed class DatasetFormats(params IReadOnlyList<IDatasetFormat> formats)
{
    /// <summary>All formats that a specification may use.</summary>
    public static DatasetFormats All { get; } = new(
        new PhantomFormat(),
        new ImageFolderFormat(),
        new ImageZipFormat(),
        new ManifestFormat(),
        new PackedFormat(),
        new MedMnistFormat());

    /// <summary>What a specification may write, for help and schema.</summary>
    public string Description { get; } = string.Join(", or ", formats.Reverse().Select(format => format.Description));

    /// <summary>Gets the format of a location as written in a specification.</summary>
    public IDatasetFormat Get(string location) => formats.First(format => format.Matches(location));
}

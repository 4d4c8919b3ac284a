using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Formats;

/// <summary>A zip archive of images: with a <c>manifest.csv</c> at its top, or a folder for each class.</summary>
internal sealed class ImageZipFormat : IDatasetFormat
{
    private const string Manifest = "manifest.csv";

    /// <inheritdoc />
    public string Description => "a .zip archive of either";

    /// <inheritdoc />
    public LocationKind Kind => LocationKind.File;

    /// <inheritdoc />
    public bool HasFixedClasses => true;

    /// <inheritdoc />
    public bool Matches(string location) => location.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read)
    {
        var origin = $"'{location}'";
        var file = read(location, ImageDataset.Kind);
        if (!file.AsSpan().StartsWith("PK"u8))
            throw new InputException($"{origin} is {FileContent.Describe(file) ?? "no zip archive"}; wanted is a zip archive of images.");
        try
        {
            using var archive = ZipInput.Open(file);
            var files = new ZipFiles(archive, origin);
            var images = archive.Contains(Manifest)
                ? ImageManifest.Read(files.Read(Manifest), $"'{Manifest}' in {origin}")
                : ClassFolders.List(files);
            var name = Path.GetFileNameWithoutExtension(location);
            return ImageSetReader.Read(name, new Provenance("zip of images", ContentHash.Of(file)), files, images, settings);
        }
        catch (FormatException error)
        {
            throw new InputException($"{origin} can't be read as a zip archive of images: {error.Message.TrimEnd('.')}.", error);
        }
    }
}

using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Formats;

/// <summary>A CSV file that names images and their classes.</summary>
internal sealed class ManifestFormat : IDatasetFormat
{
    /// <inheritdoc />
    public string Description => "a .csv file that names images and classes";

    /// <inheritdoc />
    public LocationKind Kind => LocationKind.File;

    /// <inheritdoc />
    public bool HasFixedClasses => true;

    /// <inheritdoc />
    public bool Matches(string location) => location.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read)
    {
        var isUploaded = location.StartsWith(ContentHash.Scheme, StringComparison.Ordinal);
        if (isUploaded)
        {
            throw new InputException(
                $"The list '{Path.GetFileName(location)}' names images that were not uploaded with it. " +
                "Submit a .zip of both with the list as manifest.csv, or what `medmerge data pack` makes of it.");
        }
        var content = read(location, ImageDataset.Kind);
        var files = new FolderFiles(Path.GetDirectoryName(location) is { Length: > 0 } folder ? folder : ".", read);
        var images = ImageManifest.Read(content, $"'{location}'");
        var name = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(location))) is { Length: > 0 } parent ? parent : "images";
        return ImageSetReader.Read(name, new Provenance("CSV manifest", ContentHash.Of(content)), files, images, settings);
    }
}

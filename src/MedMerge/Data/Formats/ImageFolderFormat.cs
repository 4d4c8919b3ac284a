using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Formats;

/// <summary>A folder of images by class.</summary>
internal sealed class ImageFolderFormat : IDatasetFormat
{
    /// <inheritdoc />
    public string Description => "a folder of images by class, with a slash behind it";

    /// <inheritdoc />
    public LocationKind Kind => LocationKind.Folder;

    /// <inheritdoc />
    public bool HasFixedClasses => true;

    /// <inheritdoc />
    public bool Matches(string location) => location.EndsWith('/');

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read)
    {
        var files = new FolderFiles(location, read);
        var name = Path.GetFileName(location.TrimEnd('/'));
        return ImageSetReader.Read(name, new Provenance("folder of images", Sha256: null), files, ClassFolders.List(files), settings);
    }
}

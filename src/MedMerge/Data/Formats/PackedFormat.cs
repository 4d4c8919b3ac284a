namespace MedMerge.Data.Formats;

/// <summary>A data set that <c>medmerge data pack</c> wrote.</summary>
internal sealed class PackedFormat : IDatasetFormat
{
    /// <summary>How such files' names end.</summary>
    public const string Extension = ".packed";

    /// <inheritdoc />
    public string Description => "a .packed file of `medmerge data pack`";

    /// <inheritdoc />
    public LocationKind Kind => LocationKind.File;

    /// <inheritdoc />
    public bool HasFixedClasses => true;

    /// <inheritdoc />
    public bool Matches(string location) => location.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read)
    {
        var dataset = PackedDataset.Read(read(location, ImageDataset.Kind), $"'{location}'");
        return Images.ImagePreparation.Apply(dataset.Validated(), settings);
    }
}

using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Formats;

/// <summary>MedMNIST's .npz files.</summary>
internal sealed class MedMnistFormat : IDatasetFormat
{
    /// <inheritdoc />
    public string Description => "a MedMNIST .npz file";

    /// <inheritdoc />
    public LocationKind Kind => LocationKind.File;

    /// <inheritdoc />
    public bool Matches(string location) => true;

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read)
    {
        var dataset = MedMnistReader.Read(read(location, ImageDataset.Kind), location, classes);
        return ImagePreparation.Apply(dataset, settings);
    }
}

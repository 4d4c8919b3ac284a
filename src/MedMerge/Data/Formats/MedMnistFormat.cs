namespace MedMerge.Data.Formats;

/// <summary>MedMNIST's .npz files.</summary>
internal sealed class MedMnistFormat : IDatasetFormat
{
    /// <inheritdoc />
    public string Description => "a MedMNIST .npz file";

    /// <inheritdoc />
    public string FileKind => MedMnistReader.Kind;

    /// <inheritdoc />
    public IReadOnlyList<string> KnownLocations => [];

    /// <inheritdoc />
    public bool IsSynthetic => false;

    /// <inheritdoc />
    public bool Matches(string location) => true;

    /// <inheritdoc />
    public string GetTitle(string location) => Path.GetFileNameWithoutExtension(location);

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, FileReader read) =>
        MedMnistReader.Read(read(location, FileKind), location, classes);
}

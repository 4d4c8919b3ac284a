namespace MedMerge.Data.Formats;

/// <summary>
/// A form in which data sets are given. It turns a location into the one <see cref="ImageDataset"/> that everything else
/// works on; adding a format takes a class and a line in <see cref="DatasetFormats"/>.
/// </summary>
internal interface IDatasetFormat
{
    /// <summary>What a specification may write, for help and schema: <c>a MedMNIST .npz file</c>.</summary>
    string Description { get; }

    /// <summary>What messages call the file at the location; null if none is read.</summary>
    string? FileKind { get; }

    /// <summary>All locations, if they are not files. The number of classes of such data sets is fixed.</summary>
    IReadOnlyList<string> KnownLocations { get; }

    /// <summary>Whether the data sets are drawn by seed instead of taken from patients.</summary>
    bool IsSynthetic { get; }

    /// <summary>Whether a location is of this format.</summary>
    bool Matches(string location);

    /// <summary>The data set's name for display.</summary>
    string GetTitle(string location);

    /// <summary>Reads or draws the data set.</summary>
    /// <param name="classes">The number of classes; null for the highest training label plus one.</param>
    /// <param name="read">Reads files.</param>
    /// <exception cref="InputException">The data set is missing or unusable.</exception>
    ImageDataset Load(string location, int? classes, FileReader read);
}

namespace MedMerge.Data.Formats;

/// <summary>
/// A form in which data sets are given. It turns a location into the one <see cref="ImageDataset"/> that everything else
/// works on, when a specification is submitted; nodes know only the packed form of that.
/// </summary>
internal interface IDatasetFormat
{
    /// <summary>What a specification may write, for help and schema: <c>a MedMNIST .npz file</c>.</summary>
    string Description { get; }

    /// <summary>What a location of this format names.</summary>
    LocationKind Kind { get; }

    /// <summary>All locations, if <see cref="Kind"/> is <see cref="LocationKind.Name"/>.</summary>
    IReadOnlyList<string> KnownLocations => [];

    /// <summary>Whether the format itself says how many classes there are, so that a specification may not.</summary>
    bool HasFixedClasses => false;

    /// <summary>Whether a location, as written in a specification, is of this format.</summary>
    bool Matches(string location);

    /// <summary>Reads or draws the data set.</summary>
    /// <param name="location">A name, a path on this machine, or the address of an uploaded file: <c>sha256:HASH/NAME</c>.</param>
    /// <param name="classes">The number of classes; null for what the data say.</param>
    /// <param name="settings">How images are brought to one size and dealt out to splits.</param>
    /// <param name="read">Reads files; every byte of the data set comes from it.</param>
    /// <returns>A data set that was <see cref="ImageDataset.Validated"/>.</returns>
    /// <exception cref="InputException">The data set is missing or unusable.</exception>
    ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read);
}

/// <summary>What the location of a data set names.</summary>
internal enum LocationKind
{
    /// <summary>Nothing on a disk: one of <see cref="IDatasetFormat.KnownLocations"/>.</summary>
    Name,

    /// <summary>A file.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,
}

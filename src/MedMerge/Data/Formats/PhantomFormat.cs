using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Formats;

/// <summary>Data sets drawn by seed: <c>phantom:lesions</c>.</summary>
internal sealed class PhantomFormat : IDatasetFormat
{
    /// <inheritdoc />
    public string Description => string.Join(", ", KnownLocations);

    /// <inheritdoc />
    public LocationKind Kind => LocationKind.Name;

    /// <inheritdoc />
    public IReadOnlyList<string> KnownLocations { get; } = [.. Phantoms.Names.Select(name => Phantoms.Prefix + name)];

    /// <inheritdoc />
    public bool HasFixedClasses => true;

    /// <inheritdoc />
    public bool Matches(string location) => location.StartsWith(Phantoms.Prefix, StringComparison.Ordinal);

    /// <inheritdoc />
    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read) =>
        ImagePreparation.Apply(Phantoms.Create(location[Phantoms.Prefix.Length..]), settings);
}

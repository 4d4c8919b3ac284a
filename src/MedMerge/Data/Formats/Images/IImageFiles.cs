namespace MedMerge.Data.Formats.Images;

/// <summary>Files among which images are: a folder, or a zip archive of one.</summary>
internal interface IImageFiles
{
    /// <summary>What messages call them: <c>'chest.zip'</c>.</summary>
    string Origin { get; }

    /// <summary>All files' paths, relative, with slashes.</summary>
    IEnumerable<string> Paths { get; }

    /// <summary>Reads a file. Several threads may call it.</summary>
    /// <exception cref="InputException">It is missing or can't be read.</exception>
    byte[] Read(string path);
}

/// <summary>A folder on this machine.</summary>
/// <param name="read">Reads files.</param>
internal sealed class FolderFiles(string folder, FileReader read) : IImageFiles
{
    /// <inheritdoc />
    public string Origin => $"'{folder}'";

    /// <inheritdoc />
    public IEnumerable<string> Paths
    {
        get
        {
            try
            {
                return
                [
                    .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                        .Select(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/')),
                ];
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"The folder {Origin} can't be read: {error.Message}", error);
            }
        }
    }

    /// <inheritdoc />
    public byte[] Read(string path) => read(Path.Combine(folder, path), ImageDecoder.Kind);
}

/// <summary>A zip archive. Nothing of it is written anywhere.</summary>
internal sealed class ZipFiles(ZipInput archive, string origin) : IImageFiles
{
    private const int MaxImageBytes = 1 << 28;
    private readonly Lock _reading = new();

    /// <inheritdoc />
    public string Origin => origin;

    /// <inheritdoc />
    public IEnumerable<string> Paths => archive.Names.Where(name => !name.EndsWith('/'));

    /// <inheritdoc />
    public byte[] Read(string path)
    {
        if (!archive.Contains(path)) throw new InputException($"There is no {ImageDecoder.Kind} '{path}' in {origin}.");
        if (archive.LengthOf(path) > MaxImageBytes)
            throw new InputException($"'{path}' in {origin} has more than {MaxImageBytes >> 20} MiB, which is the most for an image.");
        try
        {
            lock (_reading) return archive.Read(path);
        }
        catch (FormatException error)
        {
            throw new InputException($"{origin} can't be read: {error.Message.TrimEnd('.')}.", error);
        }
    }
}

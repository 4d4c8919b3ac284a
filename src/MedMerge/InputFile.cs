namespace MedMerge;

/// <summary>Reads the files that the user names, so that a wrong path is told in the same words everywhere.</summary>
public static class InputFile
{
    /// <summary>The whole file.</summary>
    /// <param name="kind">What it is, as messages call it: <c>weight file</c>.</param>
    /// <exception cref="InputException">There is no such file, it is a folder, or it can't be read.</exception>
    public static byte[] Read(string path, string kind) => Try(path, kind, File.ReadAllBytes);

    /// <summary>What <paramref name="read"/> makes of a file too large for an array.</summary>
    /// <inheritdoc cref="Read(string, string)" />
    public static T Read<T>(string path, string kind, Func<Stream, T> read) => Try(path, kind, _ =>
    {
        using var stream = File.OpenRead(path);
        return read(stream);
    });

    private static T Try<T>(string path, string kind, Func<string, T> read)
    {
        if (path.Length == 0) throw new InputException($"The {kind} has an empty path; name a file.");
        if (path.Contains('\0', StringComparison.Ordinal)) throw new InputException($"The path of the {kind} '{path.Replace("\0", "\\0", StringComparison.Ordinal)}' holds a NUL character.");
        try
        {
            return read(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException(error switch
            {
                FileNotFoundException or DirectoryNotFoundException => $"There is no {kind} '{path}'.",
                _ when Directory.Exists(path) => $"'{path}' is a folder, not a {kind}.",
                _ => $"The {kind} '{path}' can't be read: {error.Message}",
            }, error);
        }
    }
}

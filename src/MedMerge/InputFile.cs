namespace MedMerge;

/// <summary>Gives a file that a specification names.</summary>
/// <param name="location">A path, or <c>sha256:HASH/NAME</c> where the specification is frozen.</param>
/// <param name="kind">What it is, as messages call it: <c>weight file</c>.</param>
/// <exception cref="InputException">It can't be had.</exception>
public delegate byte[] FileReader(string location, string kind);

/// <summary>Reads the files that the user names, so that path errors are reported in the same words everywhere.</summary>
public static class InputFile
{
    /// <summary>The whole file.</summary>
    /// <param name="kind">What it is, as messages call it: <c>weight file</c>.</param>
    /// <exception cref="InputException">There is no such file, it is a folder, or it can't be read.</exception>
    public static byte[] Read(string path, string kind)
    {
        if (path.Length == 0) throw new InputException($"The {kind} has an empty path; name a file.");
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            var shown = path.Replace("\0", "\\0", StringComparison.Ordinal);
            throw new InputException($"The path of the {kind} '{shown}' holds a NUL character.");
        }
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException(error switch
            {
                FileNotFoundException or DirectoryNotFoundException => $"There is no {kind} '{path}'.",
                _ when File.Exists(path) && new FileInfo(path).Length > Array.MaxLength =>
                    $"The {kind} '{path}' has more than 2 GiB, which is the most that can be read.",
                _ when Directory.Exists(path) => $"'{path}' is a folder, not a {kind}.",
                _ => $"The {kind} '{path}' can't be read: {error.Message}",
            }, error);
        }
    }
}

using Microsoft.Win32.SafeHandles;

namespace MedMerge;

/// <summary>Reads a file that a specification names. Images are read on several threads at a time.</summary>
/// <param name="location">A path, or <c>sha256:HASH/NAME</c> in a frozen specification.</param>
/// <param name="kind">What messages call it: <c>weight file</c>.</param>
/// <exception cref="InputException">The file can't be read.</exception>
internal delegate byte[] FileReader(string location, string kind);

/// <summary>Reads files that the user names, so that path errors are reported consistently.</summary>
internal static class InputFile
{
    /// <summary>Reads a whole file.</summary>
    /// <param name="kind">What messages call it: <c>weight file</c>.</param>
    /// <exception cref="InputException">The file does not exist, is a folder, or can't be read.</exception>
    public static byte[] Read(string path, string kind)
    {
        CheckPath(path, kind);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException(DescribeFailure(path, kind, error), error);
        }
    }

    /// <summary>Opens a file for reading at any position.</summary>
    /// <inheritdoc cref="Read" />
    public static SafeFileHandle Open(string path, string kind)
    {
        CheckPath(path, kind);
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path);
            _ = RandomAccess.GetLength(handle);
            return handle;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            handle?.Dispose();
            if (error is NotSupportedException)
                throw new InputException($"The {kind} '{path}' is a pipe or a device; name a file.", error);
            throw new InputException(DescribeFailure(path, kind, error), error);
        }
    }

    private static void CheckPath(string path, string kind)
    {
        if (path.Length == 0) throw new InputException($"The {kind} has an empty path; name a file.");
        if (!path.Contains('\0', StringComparison.Ordinal)) return;
        var shown = path.Replace("\0", "\\0", StringComparison.Ordinal);
        throw new InputException($"The path of the {kind} '{shown}' holds a NUL character.");
    }

    private static string DescribeFailure(string path, string kind, Exception error)
    {
        if (error is FileNotFoundException or DirectoryNotFoundException) return $"There is no {kind} '{path}'.";
        if (Directory.Exists(path)) return $"'{path}' is a folder, not a {kind}.";
        var isTooLarge = File.Exists(path) && new FileInfo(path).Length > Array.MaxLength;
        if (isTooLarge) return $"The {kind} '{path}' has more than 2 GiB, which is the most that can be read.";
        return $"The {kind} '{path}' can't be read: {error.Message}";
    }
}

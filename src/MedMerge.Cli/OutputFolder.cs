using System.Text;
using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>A folder that results are written to, each file whole or not at all.</summary>
internal sealed class OutputFolder
{
    private readonly string _path;

    /// <param name="path">Made where it is missing; tried before anything is computed.</param>
    /// <exception cref="InputException">It can't be written to.</exception>
    public OutputFolder(string path)
    {
        _path = path;
        CheckText(path);
        try
        {
            Directory.CreateDirectory(path);
            var probe = Path.Combine(path, $"{Guid.NewGuid():N}{AtomicFile.TemporarySuffix}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The output folder '{path}' can't be written to: {error.Message}", error);
        }
    }

    /// <summary>Writes a file, its folders made where they are missing.</summary>
    public Task WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        AtomicFile.WriteAsync(Path.Combine(_path, name), content, overwrite: true, cancellation);

    /// <inheritdoc cref="WriteAsync(string, ReadOnlyMemory{byte}, CancellationToken)" />
    public Task WriteAsync(string name, string content, CancellationToken cancellation) => WriteAsync(name, Encoding.UTF8.GetBytes(content), cancellation);

    /// <summary>Tries a single file's place before anything is computed.</summary>
    /// <exception cref="InputException">It is a folder, or its folder can't be written to.</exception>
    public static void CheckFile(string path)
    {
        CheckText(path);
        if (Directory.Exists(path) || Path.GetFileName(path) is "" or "." or "..")
            throw new InputException($"The output '{path}' is a folder; name a file in it.");
        _ = new OutputFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void CheckText(string path)
    {
        if (path.Length == 0) throw new InputException("The output has an empty path.");
        if (path.Contains('\0', StringComparison.Ordinal)) throw new InputException($"The output's path '{path.Replace("\0", "\\0", StringComparison.Ordinal)}' holds a NUL character.");
    }
}

namespace MedMerge.Storage;

/// <summary>Writes files so that they are there whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>Suffix of files that are being written; listings skip them.</summary>
    public const string TemporarySuffix = ".writing";

    /// <summary>Creates a folder if it is missing, and checks that it is writable; leaves nothing behind.</summary>
    public static void TryFolder(string folder)
    {
        Directory.CreateDirectory(folder);
        var probe = Path.Combine(folder, $"{Guid.NewGuid():N}{TemporarySuffix}");
        File.WriteAllBytes(probe, []);
        File.Delete(probe);
    }

    /// <summary>Writes beside the target, flushes to the disk and renames.</summary>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <returns>False where the file exists and is not to be replaced.</returns>
    public static async Task<bool> WriteAsync(string path, ReadOnlyMemory<byte> content, bool overwrite, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var temporary = $"{path}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
            var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            await using (stream.ConfigureAwait(false))
            {
                await stream.WriteAsync(content, cancellation).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite);
            return true;
        }
        catch (IOException) when (!overwrite && File.Exists(path))
        {
            return false;
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}

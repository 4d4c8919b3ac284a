using System.Runtime.InteropServices;

namespace MedMerge.Storage;

/// <summary>Writes files so that they are there whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>Suffix of files that are being written; listings skip them.</summary>
    public const string TemporarySuffix = ".writing";

    private const int NotPermitted = 1; // EPERM
    private const int FileExists = 17; // EEXIST
    private const int NotImplemented = 38; // ENOSYS of Linux
    private const int NotSupportedOnLinux = 95; // EOPNOTSUPP
    private const int NotSupportedOnMac = 45; // ENOTSUP

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
    /// <exception cref="DiskException">The disk is full or read-only.</exception>
    public static Task<bool> WriteAsync(string path, ReadOnlyMemory<byte> content, bool overwrite, CancellationToken cancellation) =>
        WriteAsync(path, stream => stream.WriteAsync(content, cancellation).AsTask(), overwrite);

    /// <inheritdoc cref="WriteAsync(string, ReadOnlyMemory{byte}, bool, CancellationToken)" />
    public static Task<bool> WriteAsync(string path, Stream content, bool overwrite, CancellationToken cancellation) =>
        WriteAsync(path, stream => content.CopyToAsync(stream, cancellation), overwrite);

    /// <param name="write">Writes the content, at any position.</param>
    /// <inheritdoc cref="WriteAsync(string, ReadOnlyMemory{byte}, bool, CancellationToken)" />
    public static async Task<bool> WriteAsync(string path, Func<FileStream, Task> write, bool overwrite)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return await WriteBesideAsync(path, write, overwrite).ConfigureAwait(false);
        }
        catch (IOException error) when (DiskException.IsReason(error))
        {
            throw DiskException.Of(path, error);
        }
    }

    private static async Task<bool> WriteBesideAsync(string path, Func<FileStream, Task> write, bool overwrite)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
            var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            await using (stream.ConfigureAwait(false))
            {
                await write(stream).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }
            return overwrite ? Replace(temporary, path) : TryPublish(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static bool Replace(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        return true;
    }

    /// <summary>
    /// Gives a file its name unless another has it. On Unix by link(2), which fails where the name is taken:
    /// <see cref="File.Move(string, string, bool)"/> there looks first and renames afterwards, so of two writers both succeed.
    /// </summary>
    private static bool TryPublish(string temporary, string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (Link(temporary, path) == 0) return true;
            var error = Marshal.GetLastPInvokeError();
            if (error == FileExists) return false;
            if (error is not (NotPermitted or NotSupportedOnLinux or NotSupportedOnMac or NotImplemented))
                throw new IOException($"'{path}' can't be written: {Marshal.GetPInvokeErrorMessage(error)}", error);
            // A file system without hard links: the best there is.
        }
        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string existing,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string created);
}

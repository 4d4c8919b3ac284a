using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>
/// Prevents two processes of one machine from running the same sweep in the same folder, where each would undo the
/// other's decisions. The operating system releases the lock of a process that dies.
/// </summary>
internal static class RunLock
{
    /// <summary>
    /// Takes the lock. Returns null where the store is not a folder: nodes of a cluster on a blob service coordinate
    /// themselves.
    /// </summary>
    /// <exception cref="InputException">Another process holds the lock, or its file can't be made.</exception>
    /// <param name="temporary">The folder of the lock files; the machine's for temporary files where null.</param>
    public static FileStream? Take(string sweep, IObjectStore objects, string? temporary = null)
    {
        if (objects is not FolderObjectStore folder) return null;
        var name = ContentHash.Of($"{folder.Root}\n{sweep}")[..24];
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 1,
            Options = FileOptions.DeleteOnClose,
        };
        temporary ??= Path.GetTempPath();
        var path = Path.Combine(temporary, $"medmerge-{name}.lock");
        try
        {
            return new FileStream(path, options);
        }
        catch (DirectoryNotFoundException error)
        {
            throw new InputException(
                $"The folder for temporary files, '{temporary}', does not exist. Make it, or set TMPDIR to another.",
                error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new InputException(
                $"The lock file '{path}' belongs to another user: a run of theirs in '{folder.Root}' works or was killed. "
                + "Have it removed once that run has ended, or set TMPDIR to a folder of your own.",
                error);
        }
        catch (IOException error)
        {
            throw new InputException(
                $"Another process runs this specification in '{folder.Root}' now. Wait until it ends, or name another folder with --store.",
                error);
        }
    }
}

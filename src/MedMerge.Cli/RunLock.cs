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
    /// <exception cref="InputException">Another process holds the lock.</exception>
    public static FileStream? Take(string sweep, IObjectStore objects)
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
        try
        {
            return new FileStream(Path.Combine(Path.GetTempPath(), $"medmerge-{name}.lock"), options);
        }
        catch (IOException error)
        {
            throw new InputException(
                $"Another process runs this specification in '{folder.Root}' now. Wait until it ends, or name another folder with --store.",
                error);
        }
    }
}

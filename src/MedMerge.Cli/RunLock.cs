using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>
/// Keeps two processes of one machine from running one sweep in one folder: each would undo the other's decisions. The operating system frees the lock of a
/// process that dies.
/// </summary>
internal static class RunLock
{
    /// <summary>Takes the lock, or gives null where the store is no folder: a blob service is for clusters, whose nodes agree by themselves.</summary>
    /// <exception cref="InputException">Another process has it.</exception>
    public static FileStream? Take(string sweep, IObjectStore objects)
    {
        if (objects is not FolderObjectStore folder) return null;
        var name = ContentHash.Of($"{folder.Root}\n{sweep}")[..24];
        try
        {
            return new FileStream(Path.Combine(Path.GetTempPath(), $"medmerge-{name}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException error)
        {
            throw new InputException($"Another process runs this specification in '{folder.Root}' now. Wait for its end, or name another folder with --store.", error);
        }
    }
}

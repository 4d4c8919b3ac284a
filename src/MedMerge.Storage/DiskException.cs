namespace MedMerge.Storage;

/// <summary>A file can't be written because of its disk: it is full, a quota is used up, or it is mounted read-only.</summary>
/// <remarks>Its message is one line for the user: which file, why, and what to do. The same write may succeed later.</remarks>
internal sealed class DiskException : IOException
{
    private const int NoSpace = 28; // ENOSPC
    private const int ReadOnlyFileSystem = 30; // EROFS
    private const int QuotaOnLinux = 122; // EDQUOT
    private const int QuotaOnMac = 69;
    private const int DiskFullOnWindows = unchecked((int)0x80070070);

    private const string QuotaUsedUp = "the disk quota is used up. Delete files, or use a folder on another disk.";

    private DiskException(string message, IOException inner) : base(message, inner) => HResult = inner.HResult;

    /// <summary>Whether the disk is the reason why a write failed.</summary>
    public static bool IsReason(IOException error) => error is not DiskException && Describe(error) is not null;

    /// <summary>The exception for a file whose write failed for a reason of <see cref="IsReason"/>.</summary>
    public static DiskException Of(string path, IOException error) => new($"'{path}' can't be written: {Describe(error)}", error);

    private static string? Describe(IOException error) => error.HResult switch
    {
        NoSpace or DiskFullOnWindows => "the disk is full. Free some space, or use a folder on another disk.",
        QuotaOnLinux => QuotaUsedUp,
        QuotaOnMac when OperatingSystem.IsMacOS() => QuotaUsedUp,
        ReadOnlyFileSystem => "its file system is read-only. Make it writable, or use a folder on another disk.",
        _ => null,
    };
}

namespace MedMerge.Cli.Downloads;

/// <summary>A file could not be got, for a reason that the user did not cause.</summary>
internal sealed class DownloadException(string message, Exception? inner = null) : Exception(message, inner);

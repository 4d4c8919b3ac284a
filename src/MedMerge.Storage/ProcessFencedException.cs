namespace MedMerge.Storage;

/// <summary>
/// The process was suspended past its eviction and must not write.
/// </summary>
public sealed class ProcessFencedException(string message) : Exception(message);

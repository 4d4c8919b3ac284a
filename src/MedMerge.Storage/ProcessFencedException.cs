namespace MedMerge.Storage;

/// <summary>
/// This process was stopped for so long that the cluster goes on without it: it may commit nothing any more.
/// </summary>
public sealed class ProcessFencedException(string message) : Exception(message);

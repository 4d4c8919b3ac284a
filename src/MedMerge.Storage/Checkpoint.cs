namespace MedMerge.Storage;

/// <summary>A state from which a stage can be resumed.</summary>
/// <param name="Number">Counts the stage's commits, from 1.</param>
/// <param name="Files">What the state is made of, by name.</param>
/// <param name="Fence">What the next commit must present; another process's commit in between invalidates it.</param>
public sealed record Checkpoint(int Number, IReadOnlyDictionary<string, byte[]> Files, string Fence);

namespace MedMerge.Storage;

/// <summary>A state that a trial can go on from.</summary>
/// <param name="Number">Counts the commits of the trial, from 1.</param>
/// <param name="Files">What the state is made of, by name.</param>
/// <param name="Fence">What the next commit must name; another process's commit in between makes it void.</param>
public sealed record Checkpoint(int Number, IReadOnlyDictionary<string, byte[]> Files, string Fence);

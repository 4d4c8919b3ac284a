namespace MedMerge;

/// <summary>
/// A file that MedMerge wrote itself can't be read, although its hash is right: a bug, or another version wrote it.
/// Computing again what reads it does not help.
/// </summary>
/// <param name="name">What messages call the file.</param>
internal sealed class UnreadableArtefactException(string name, Exception inner)
    : Exception($"The artefact '{name}' can't be read: {inner.Message}", inner);

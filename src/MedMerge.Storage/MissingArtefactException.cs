namespace MedMerge.Storage;

/// <summary>
/// A file that a sweep needs is missing in the store or damaged. Nothing computes it again, and a damaged one was read several times, so
/// another attempt is of no use until somebody puts it back.
/// </summary>
/// <param name="what">What the artefact is, as the start of a noun phrase: <c>weight file 'a.safetensors'</c>.</param>
/// <param name="hash">The artefact's SHA-256.</param>
internal sealed class MissingArtefactException(string what, string hash)
    : Exception($"The {what} (artefact {hash}) is missing in the store or damaged. Submit the sweep again: that puts it back.");

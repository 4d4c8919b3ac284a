namespace MedMerge.Tensors;

/// <summary>Reads the tensors of files that MedMerge wrote itself, where what can't be read is no fault of the user's.</summary>
internal static class ArtefactTensors
{
    /// <summary>Reads a safetensors file.</summary>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="UnreadableArtefactException">The bytes are not a whole safetensors file.</exception>
    public static (StateDict Tensors, IReadOnlyDictionary<string, string> Metadata) Read(ReadOnlySpan<byte> file, string name)
    {
        try
        {
            return Safetensors.Read(file, "it");
        }
        catch (InputException error)
        {
            throw new UnreadableArtefactException(name, error);
        }
    }
}

using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>
/// The safetensors format (huggingface/safetensors, README "Format"): a little-endian u64 header length, a JSON header
/// <c>{"__metadata__": {…}, name: {"dtype", "shape", "data_offsets": [begin, end]}}</c>, then the tensors' bytes back to back.
/// The same tensors and metadata always give the same bytes.
/// </summary>
internal static class Safetensors
{
    /// <summary>The file's bytes for <paramref name="tensors"/> in their order, with metadata sorted by key.</summary>
    public static byte[] Write(
        IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        var list = tensors.ToList();
        var start = SafetensorsHeader.Write(
            list.Select(pair => (pair.Key, ElementType.Of(pair.Value.dtype), (IReadOnlyList<long>)pair.Value.shape)),
            metadata);
        var data = list.Sum(pair => pair.Value.numel() * ElementType.Of(pair.Value.dtype).Size);
        var file = new byte[start.Length + data];
        start.CopyTo(file, 0);
        var at = start.Length;
        foreach (var (_, tensor) in list)
        {
            using var scope = NewDisposeScope();
            var bytes = tensor.cpu().contiguous().bytes;
            bytes.CopyTo(file.AsSpan(at));
            at += bytes.Length;
        }
        return file;
    }

    /// <summary>Reads a whole file image.</summary>
    /// <param name="origin">What messages call the file.</param>
    /// <exception cref="InputException">
    /// The bytes are not a whole, consistent safetensors file, or a tensor has a type that is not known here.
    /// </exception>
    public static (StateDict Tensors, IReadOnlyDictionary<string, string> Metadata) Read(ReadOnlySpan<byte> file, string origin)
    {
        var header = SafetensorsHeader.Read(file, file.Length, origin);
        var tensors = new StateDict();
        try
        {
            foreach (var entry in header.Entries)
            {
                var type = ElementType.Named(entry.Type)
                           ?? throw SafetensorsHeader.Invalid(origin, $"tensor '{entry.Name}' has the unknown type '{entry.Type}'");
                using var tensor = type.CreateTensor(file.Slice((int)entry.Begin, (int)entry.Length), entry.Shape);
                tensors.Add(entry.Name, tensor);
            }
            return (tensors, header.Metadata);
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }
}

using System.Buffers.Binary;
using System.Text.Json;
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
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var (name, tensor) in list)
            {
                var type = ElementType.Of(tensor.dtype);
                var end = offset + (tensor.numel() * type.Size);
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name);
                json.WriteStartArray("shape");
                foreach (var size in tensor.shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        // Keep the data aligned, as the reference writer does.
        while (header.Length % SafetensorsHeader.LengthBytes != 0) header.WriteByte((byte)' ');

        var data = list.Sum(pair => pair.Value.numel() * ElementType.Of(pair.Value.dtype).Size);
        var file = new byte[SafetensorsHeader.LengthBytes + header.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.ToArray().CopyTo(file, SafetensorsHeader.LengthBytes);
        var at = SafetensorsHeader.LengthBytes + (int)header.Length;
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
        var header = SafetensorsHeader.Read(file, origin);
        var tensors = new StateDict();
        try
        {
            foreach (var entry in header.Entries)
            {
                var type = ElementType.Named(entry.Type)
                           ?? throw SafetensorsHeader.Invalid(origin, $"tensor '{entry.Name}' has the unknown type '{entry.Type}'");
                using var tensor = type.CreateTensor(file.Slice(entry.Begin, entry.Length), entry.Shape);
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

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
    private const int LengthBytes = 8;
    private const long MaxHeaderBytes = 100_000_000; // the reference implementation's own limit
    private const string MetadataKey = "__metadata__";

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
                json.WriteStartObject(MetadataKey);
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
        while (header.Length % LengthBytes != 0) header.WriteByte((byte)' '); // keep the data aligned, as the reference writer does

        var data = list.Sum(pair => pair.Value.numel() * ElementType.Of(pair.Value.dtype).Size);
        var file = new byte[LengthBytes + header.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.ToArray().CopyTo(file, LengthBytes);
        var at = LengthBytes + (int)header.Length;
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
    /// <param name="unread">Receives the tensors of types that are not known here; null refuses them.</param>
    /// <exception cref="InputException">The bytes are not a whole, consistent safetensors file.</exception>
    public static (StateDict Tensors, IReadOnlyDictionary<string, string> Metadata) Read(
        ReadOnlySpan<byte> file,
        string origin,
        ICollection<UnreadTensor>? unread = null)
    {
        if (file.Length < LengthBytes) throw Bad(origin, "it is shorter than the 8 bytes of its header's length");
        var length = BinaryPrimitives.ReadInt64LittleEndian(file);
        if (length is < 2 or > MaxHeaderBytes || length > file.Length - LengthBytes)
            throw Bad(origin, $"its header claims {length} bytes of a file of {file.Length}: it is truncated or not a safetensors file");

        JsonDocument header;
        try
        {
            header = JsonDocument.Parse(file.Slice(LengthBytes, (int)length).ToArray());
        }
        catch (JsonException error)
        {
            throw Bad(origin, $"its header is not JSON ({error.Message})", error);
        }

        var data = file[(LengthBytes + (int)length)..];
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var tensors = new StateDict();
        var used = 0L;
        try
        {
            if (header.RootElement.ValueKind != JsonValueKind.Object) throw Bad(origin, "its header is not a JSON object");
            foreach (var entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name == MetadataKey)
                {
                    foreach (var pair in entry.Value.EnumerateObject()) metadata[pair.Name] = pair.Value.GetString() ?? "";
                    continue;
                }
                used = Math.Max(used, AddTensor(tensors, unread, entry, data, origin));
            }
            if (used != data.Length) throw Bad(origin, $"its tensors end at byte {used} of its data, which has {data.Length}");
            return (tensors, metadata);
        }
        catch (Exception error)
        {
            tensors.Dispose();
            if (error is InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or OverflowException)
                throw Bad(origin, error.Message, error);
            throw;
        }
        finally
        {
            header.Dispose();
        }
    }

    /// <returns>Where its bytes end.</returns>
    private static long AddTensor(
        StateDict tensors,
        ICollection<UnreadTensor>? unread,
        JsonProperty entry,
        ReadOnlySpan<byte> data,
        string origin)
    {
        var typeName = entry.Value.GetProperty("dtype").GetString() ?? "";
        var type = ElementType.Named(typeName);
        if (type is null && unread is null) throw Bad(origin, $"tensor '{entry.Name}' has the unknown type '{typeName}'");
        var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = entry.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        if (offsets is not [var begin, var end] || begin < 0 || end < begin || end > data.Length)
            throw Bad(origin, $"tensor '{entry.Name}' lies outside the file ({data.Length} bytes of data): the file is truncated");
        if (type is null)
        {
            var fewestBytes = checked(shape.Aggregate(1L, (product, size) => product * size)) / 8; // at a bit each
            if (shape.Any(size => size < 0) || fewestBytes > end - begin)
                throw Bad(origin, $"tensor '{entry.Name}' of shape [{string.Join(", ", shape)}] has {end - begin} bytes only");
            unread!.Add(new UnreadTensor(entry.Name, typeName, shape));
            return end;
        }
        var expected = checked(shape.Aggregate((long)type.Size, (product, size) => product * size));
        if (shape.Any(size => size < 0) || expected != end - begin)
            throw Bad(origin, $"tensor '{entry.Name}' of shape [{string.Join(", ", shape)}] needs {expected} bytes and has {end - begin}");
        using var tensor = type.CreateTensor(data[(int)begin..(int)end], shape);
        tensors.Add(entry.Name, tensor);
        return end;
    }

    private static InputException Bad(string origin, string what, Exception? inner = null) =>
        new($"{origin} is not a valid safetensors file: {what}.", inner);
}

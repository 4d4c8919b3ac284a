using System.Buffers.Binary;
using System.Text.Json;

namespace MedMerge.Tensors;

/// <summary>What a safetensors header says of a tensor.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element type's name, such as <c>F32</c>; it need not be one of <see cref="ElementType.All"/>.</param>
/// <param name="Shape">The sizes, none negative.</param>
/// <param name="Begin">Where its bytes begin in the file.</param>
/// <param name="Length">How many bytes it has.</param>
internal sealed record SafetensorsEntry(string Name, string Type, long[] Shape, long Begin, long Length);

/// <summary>
/// A safetensors header (huggingface/safetensors, README "Format"), checked as the reference implementation does: the tensors lie back to
/// back, without holes or overlaps, and fill the file. So what they need together is never more than the file has.
/// </summary>
/// <param name="Entries">The tensors, in the header's order.</param>
/// <param name="Metadata">What stands under <c>__metadata__</c>.</param>
internal sealed record SafetensorsHeader(IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Bytes before the header, which give its length.</summary>
    public const int LengthBytes = 8;

    /// <summary>The header's key of metadata.</summary>
    public const string MetadataKey = "__metadata__";

    private const long MaxHeaderBytes = 100_000_000; // the reference implementation's own limit

    /// <summary>Where the data of a file begin that starts with the length of a header that it may hold; null for another file.</summary>
    /// <param name="start">The file's first 8 bytes or more.</param>
    public static int? FindData(ReadOnlySpan<byte> start, long fileLength)
    {
        if (start.Length < LengthBytes) return null;
        var length = BinaryPrimitives.ReadInt64LittleEndian(start);
        var fits = length is >= 2 and <= MaxHeaderBytes && length <= fileLength - LengthBytes;
        return fits ? LengthBytes + (int)length : null;
    }

    /// <summary>Reads a file's header.</summary>
    /// <param name="start">The file's bytes, as far as its data at least.</param>
    /// <param name="origin">What messages call the file.</param>
    /// <exception cref="InputException">It is not the header of a whole, consistent safetensors file of that length.</exception>
    public static SafetensorsHeader Read(ReadOnlySpan<byte> start, long fileLength, string origin)
    {
        if (FindData(start, fileLength) is not { } dataStart)
            throw Invalid(origin, $"its first 8 bytes are not the length of a header within its {fileLength} bytes; or it is truncated");
        try
        {
            using var header = JsonDocument.Parse(start[LengthBytes..dataStart].ToArray());
            return Read(header.RootElement, dataStart, fileLength - dataStart);
        }
        catch (JsonException error)
        {
            throw Invalid(origin, $"its header is not JSON ({error.Message})", error);
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw Invalid(origin, error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>
    /// The first bytes of a file, up to its data: tensors back to back in their order, metadata sorted by key. The data are aligned to 8
    /// bytes, as the reference writer does.
    /// </summary>
    public static byte[] Write(
        IEnumerable<(string Name, ElementType Type, IReadOnlyList<long> Shape)> tensors,
        IReadOnlyDictionary<string, string>? metadata)
    {
        using var start = new MemoryStream();
        start.Write(new byte[LengthBytes]);
        using (var json = new Utf8JsonWriter(start))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var (name, type, shape) in tensors)
            {
                var end = offset + (shape.Aggregate(1L, (product, size) => product * size) * type.Size);
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name);
                json.WriteStartArray("shape");
                foreach (var size in shape) json.WriteNumberValue(size);
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
        while (start.Length % LengthBytes != 0) start.WriteByte((byte)' ');
        var bytes = start.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - LengthBytes);
        return bytes;
    }

    /// <summary>An error of such a file.</summary>
    public static InputException Invalid(string origin, string what, Exception? inner = null) =>
        new($"{origin} is not a valid safetensors file: {what}.", inner);

    private static SafetensorsHeader Read(JsonElement root, int dataStart, long dataLength)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new FormatException("its header is not a JSON object");
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var entries = new OrderedDictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        foreach (var item in root.EnumerateObject())
        {
            if (item.Name == MetadataKey)
            {
                foreach (var pair in item.Value.EnumerateObject()) metadata[pair.Name] = pair.Value.GetString() ?? "";
            }
            else if (!entries.TryAdd(item.Name, ReadEntry(item, dataStart, dataLength)))
            {
                throw new FormatException($"the tensor '{item.Name}' is there twice");
            }
        }
        CheckContiguous(entries.Values, dataStart, dataLength);
        return new SafetensorsHeader([.. entries.Values], metadata);
    }

    private static SafetensorsEntry ReadEntry(JsonProperty item, int dataStart, long dataLength)
    {
        var (type, shape, offsets) = ReadFields(item);
        if (offsets is not [var begin, var end] || begin < 0 || end < begin || end > dataLength)
            throw new FormatException($"tensor '{item.Name}' lies outside the file ({dataLength} bytes of data): the file is truncated");
        CheckLength(item.Name, type, shape, end - begin);
        return new SafetensorsEntry(item.Name, type, shape, dataStart + begin, end - begin);
    }

    private static (string Type, long[] Shape, long[] Offsets) ReadFields(JsonProperty item)
    {
        try
        {
            return (item.Value.GetProperty("dtype").GetString() ?? "", ReadNumbers("shape"), ReadNumbers("data_offsets"));
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new FormatException($"tensor '{item.Name}' needs a dtype, and whole numbers as shape and data_offsets", error);
        }

        long[] ReadNumbers(string name) => [.. item.Value.GetProperty(name).EnumerateArray().Select(number => number.GetInt64())];
    }

    private static void CheckLength(string name, string typeName, long[] shape, long length)
    {
        var shown = $"tensor '{name}' of shape [{string.Join(", ", shape)}]";
        if (shape.Any(size => size < 0)) throw new FormatException($"{shown} has a negative size");
        var elements = CountElements();
        if (ElementType.Named(typeName) is { } type)
        {
            var needed = (Int128)elements * type.Size;
            if (needed != length) throw new FormatException($"{shown} needs {needed} bytes and has {length}");
        }
        else if (elements / 8 > length) // a type that is not known has at least a bit for each element
        {
            throw new FormatException($"{shown} has {length} bytes only");
        }

        long CountElements()
        {
            try
            {
                return shape.Aggregate(1L, (product, size) => checked(product * size));
            }
            catch (OverflowException error)
            {
                throw new FormatException($"{shown} has more elements than any file", error);
            }
        }
    }

    private static void CheckContiguous(IEnumerable<SafetensorsEntry> entries, int dataStart, long dataLength)
    {
        var end = (long)dataStart;
        foreach (var entry in entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.Length))
        {
            if (entry.Begin < end) throw new FormatException($"tensor '{entry.Name}' overlaps another");
            if (entry.Begin > end) throw new FormatException($"there is a hole of {entry.Begin - end} bytes before tensor '{entry.Name}'");
            end = entry.Begin + entry.Length;
        }
        var used = end - dataStart;
        if (used != dataLength) throw new FormatException($"its tensors end at byte {used} of its data, which has {dataLength}");
    }
}

using System.Buffers.Binary;
using System.Text.Json;

namespace MedMerge.Tensors;

/// <summary>What a safetensors header says of a tensor.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element type's name, such as <c>F32</c>; it need not be one of <see cref="ElementType.All"/>.</param>
/// <param name="Shape">The sizes, none negative.</param>
/// <param name="Begin">Where its bytes begin in the file.</param>
/// <param name="Length">How many bytes it has.</param>
internal sealed record SafetensorsEntry(string Name, string Type, long[] Shape, int Begin, int Length);

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

    /// <summary>Whether a file begins with the length of a header that it may hold.</summary>
    public static bool HasLength(ReadOnlySpan<byte> file) =>
        file.Length >= LengthBytes
        && BinaryPrimitives.ReadInt64LittleEndian(file) is >= 2 and <= MaxHeaderBytes and var length
        && length <= file.Length - LengthBytes;

    /// <summary>Reads the header of a whole file image.</summary>
    /// <param name="origin">What messages call the file.</param>
    /// <exception cref="InputException">The bytes are not a whole, consistent safetensors file.</exception>
    public static SafetensorsHeader Read(ReadOnlySpan<byte> file, string origin)
    {
        if (!HasLength(file))
            throw Invalid(origin, $"its first 8 bytes are not the length of a header within its {file.Length} bytes; or it is truncated");
        var length = BinaryPrimitives.ReadInt64LittleEndian(file);
        try
        {
            var dataStart = LengthBytes + (int)length;
            using var header = JsonDocument.Parse(file[LengthBytes..dataStart].ToArray());
            return Read(header.RootElement, dataStart, file.Length - dataStart);
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

    /// <summary>An error of such a file.</summary>
    public static InputException Invalid(string origin, string what, Exception? inner = null) =>
        new($"{origin} is not a valid safetensors file: {what}.", inner);

    private static SafetensorsHeader Read(JsonElement root, int dataStart, int dataLength)
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

    private static SafetensorsEntry ReadEntry(JsonProperty item, int dataStart, int dataLength)
    {
        var type = item.Value.GetProperty("dtype").GetString() ?? "";
        var shape = item.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = item.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        if (offsets is not [var begin, var end] || begin < 0 || end < begin || end > dataLength)
            throw new FormatException($"tensor '{item.Name}' lies outside the file ({dataLength} bytes of data): the file is truncated");
        CheckLength(item.Name, type, shape, end - begin);
        return new SafetensorsEntry(item.Name, type, shape, dataStart + (int)begin, (int)(end - begin));
    }

    private static void CheckLength(string name, string typeName, long[] shape, long length)
    {
        var shown = $"tensor '{name}' of shape [{string.Join(", ", shape)}]";
        if (shape.Any(size => size < 0)) throw new FormatException($"{shown} has a negative size");
        var elements = shape.Aggregate(1L, (product, size) => checked(product * size));
        if (ElementType.Named(typeName) is { } type)
        {
            var needed = checked(elements * type.Size);
            if (needed != length) throw new FormatException($"{shown} needs {needed} bytes and has {length}");
        }
        else if (elements / 8 > length) // a type that is not known has at least a bit for each element
        {
            throw new FormatException($"{shown} has {length} bytes only");
        }
    }

    private static void CheckContiguous(IEnumerable<SafetensorsEntry> entries, int dataStart, int dataLength)
    {
        var end = dataStart;
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

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MedMerge.Data.Formats;

/// <summary>A NumPy array of unsigned or signed integers, C order.</summary>
/// <param name="Type">As NumPy names it: <c>uint8</c>, <c>int64</c>, …</param>
/// <param name="Data">The elements, little-endian.</param>
internal sealed partial record NpyArray(int[] Shape, string Type, byte[] Data)
{
    private static readonly IReadOnlyDictionary<string, int> Sizes = new Dictionary<string, int>
    {
        ["uint8"] = 1,
        ["int8"] = 1,
        ["uint16"] = 2,
        ["int16"] = 2,
        ["uint32"] = 4,
        ["int32"] = 4,
        ["uint64"] = 8,
        ["int64"] = 8,
    };

    /// <summary>
    /// Reads the .npy format (numpy/lib/format.py): magic <c>\x93NUMPY</c>, version, header length (u16, u32 from version 2), then a Python
    /// dictionary literal with <c>descr</c>, <c>fortran_order</c> and <c>shape</c>, then the elements.
    /// </summary>
    /// <exception cref="FormatException">Torn, or not an array of integers in C order.</exception>
    public static NpyArray Read(Stream stream)
    {
        var start = Exactly(stream, 8);
        if (start[0] != 0x93 || !start.AsSpan(1, 5).SequenceEqual("NUMPY"u8)) throw new FormatException("it is not a NumPy array");
        var headerLength = start[6] == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(Exactly(stream, 2))
            : BinaryPrimitives.ReadInt32LittleEndian(Exactly(stream, 4));
        if (headerLength is < 0 or > 1 << 20) throw new FormatException("its header's length makes no sense");
        var header = Header().Match(Encoding.Latin1.GetString(Exactly(stream, headerLength)));
        if (!header.Success) throw new FormatException("its header can't be read");
        var type = TypeOf(header.Groups["kind"].Value[0], header.Groups["size"].Value);
        if (!Sizes.TryGetValue(type, out var itemSize))
        {
            throw new FormatException(
                $"its values are {type}; wanted are integers: " +
                "save it with .astype(np.uint8) for images, .astype(np.int64) for labels");
        }
        if (header.Groups["order"].Value == ">" && itemSize > 1)
            throw new FormatException($"its values are big-endian; save it with .astype(np.{type})");
        if (header.Groups["fortran"].Value == "True")
            throw new FormatException("it is in Fortran order; save it with np.ascontiguousarray");

        var shape = header.Groups["shape"].Value
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(size => int.Parse(size, CultureInfo.InvariantCulture))
            .ToArray();
        var length = shape.Aggregate((long)itemSize, (product, size) => checked(product * size));
        if (length > Array.MaxLength) throw new FormatException("it is larger than 2 GiB");
        return new NpyArray(shape, type, Exactly(stream, (int)length));
    }

    /// <summary>The elements as whole numbers.</summary>
    /// <exception cref="FormatException">One does not fit 32 bits.</exception>
    public int[] ToInt32()
    {
        var size = Sizes[Type];
        var values = new int[Data.Length / size];
        for (var i = 0; i < values.Length; i++)
        {
            var item = Data.AsSpan(i * size);
            Int128 value = Type switch
            {
                "uint8" => item[0],
                "int8" => (sbyte)item[0],
                "uint16" => BinaryPrimitives.ReadUInt16LittleEndian(item),
                "int16" => BinaryPrimitives.ReadInt16LittleEndian(item),
                "uint32" => BinaryPrimitives.ReadUInt32LittleEndian(item),
                "int32" => BinaryPrimitives.ReadInt32LittleEndian(item),
                "uint64" => BinaryPrimitives.ReadUInt64LittleEndian(item),
                _ => BinaryPrimitives.ReadInt64LittleEndian(item),
            };
            values[i] = value >= int.MinValue && value <= int.MaxValue
                ? (int)value
                : throw new FormatException($"the value {value} is out of range");
        }
        return values;
    }

    /// <summary>A type's name from the two parts of its description: <c>u</c> and <c>1</c> are uint8.</summary>
    private static string TypeOf(char kind, string size) => kind switch
    {
        'u' when BitsOf(size) is { } bits => $"uint{bits}",
        'i' when BitsOf(size) is { } bits => $"int{bits}",
        'f' when BitsOf(size) is { } bits => $"float{bits}",
        'c' when BitsOf(size) is { } bits => $"complex{bits}",
        'b' => "bool",
        'O' => "Python objects",
        'S' or 'U' => "text",
        _ => $"of the type '{kind}{size}'",
    };

    private static int? BitsOf(string bytes) => int.TryParse(bytes, out var count) && count <= 16 ? 8 * count : null;

    [GeneratedRegex(
        @"'descr':\s*'(?<order>[<>|=])(?<kind>[a-zA-Z])(?<size>\d*)[^']*'," +
        @"\s*'fortran_order':\s*(?<fortran>True|False),\s*'shape':\s*\((?<shape>[\d, ]*)\)")]
    private static partial Regex Header();

    private static byte[] Exactly(Stream stream, int length)
    {
        var bytes = new byte[length];
        return stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false) == length
            ? bytes
            : throw new FormatException("it is truncated");
    }
}

using System.Buffers.Binary;

namespace MedMerge.Data.Formats;

/// <summary>A NumPy array of unsigned or signed integers, C order.</summary>
/// <param name="Type">As NumPy names it: <c>uint8</c>, <c>int64</c>, …</param>
/// <param name="Data">The elements, little-endian.</param>
internal sealed record NpyArray(int[] Shape, string Type, byte[] Data)
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

    /// <summary>Reads a .npy file in an archive: a header (<see cref="NpyHeader"/>), then the elements.</summary>
    /// <param name="hint">What the array should be, for the message where it is of another type.</param>
    /// <exception cref="FormatException">Torn, or not an array of integers in C order.</exception>
    public static NpyArray Read(ZipInput archive, string entry, string hint)
    {
        var header = archive.ReadStart(entry, NpyHeader.Read);
        var type = GetType(header, hint);
        var length = header.Length + GetDataLength(header, type);
        if (archive.LengthOf(entry) != length)
            throw new FormatException($"its header says that it has {length} bytes, and it has {archive.LengthOf(entry)}");
        return new NpyArray(header.Shape, type, archive.Read(entry, header.Length));
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

    /// <summary>The element type, if it is one that is read.</summary>
    private static string GetType(NpyHeader header, string hint)
    {
        var (order, kind, size) = header.Descr is [var first, var second, ..] && "<>|=".Contains(first, StringComparison.Ordinal)
            ? (first, second, header.Descr[2..])
            : throw new FormatException($"its values are of the type '{header.Descr}'; {hint}");
        var type = TypeOf(kind, size);
        if (!Sizes.TryGetValue(type, out var itemSize)) throw new FormatException($"its values are {type}; {hint}");
        if (order == '>' && itemSize > 1) throw new FormatException($"its values are big-endian; save it with .astype(np.{type})");
        if (header.IsFortran && header.Shape.Length > 1)
            throw new FormatException("it is in Fortran order; save it with np.ascontiguousarray");
        return type;
    }

    private static long GetDataLength(NpyHeader header, string type)
    {
        var length = (long)Sizes[type];
        foreach (var size in header.Shape)
        {
            length *= size;
            if (length > Array.MaxLength) throw new FormatException("it is larger than 2 GiB");
        }
        return length;
    }
}

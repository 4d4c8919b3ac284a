using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MedMerge.Data;

/// <summary>A NumPy array of unsigned or signed integers, C order.</summary>
/// <param name="ItemSize">Bytes per element: 1, 2, 4 or 8.</param>
/// <param name="Data">The elements, little-endian.</param>
public sealed partial record NpyArray(int[] Shape, int ItemSize, byte[] Data)
{
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
        if (!header.Success) throw new FormatException("its header can't be read, or it is not an array of integers");
        if (header.Groups["fortran"].Value == "True") throw new FormatException("it is in Fortran order; save it with np.ascontiguousarray");

        var shape = header.Groups["shape"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(size => int.Parse(size, CultureInfo.InvariantCulture)).ToArray();
        var itemSize = int.Parse(header.Groups["size"].Value, CultureInfo.InvariantCulture);
        var length = shape.Aggregate((long)itemSize, (product, size) => checked(product * size));
        if (length > Array.MaxLength) throw new FormatException("it is larger than 2 GiB");
        return new NpyArray(shape, itemSize, Exactly(stream, (int)length));
    }

    /// <summary>The elements as whole numbers.</summary>
    /// <exception cref="FormatException">One does not fit 32 bits.</exception>
    public int[] ToInt32()
    {
        var values = new int[Data.Length / ItemSize];
        for (var i = 0; i < values.Length; i++)
        {
            var item = Data.AsSpan(i * ItemSize);
            var value = ItemSize switch
            {
                1 => item[0],
                2 => BinaryPrimitives.ReadInt16LittleEndian(item),
                4 => BinaryPrimitives.ReadInt32LittleEndian(item),
                _ => BinaryPrimitives.ReadInt64LittleEndian(item),
            };
            values[i] = value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new FormatException($"the value {value} is out of range");
        }
        return values;
    }

    [GeneratedRegex(@"'descr':\s*'[<|=](?<kind>[iu])(?<size>[1248])',\s*'fortran_order':\s*(?<fortran>True|False),\s*'shape':\s*\((?<shape>[\d, ]*)\)")]
    private static partial Regex Header();

    private static byte[] Exactly(Stream stream, int length)
    {
        var bytes = new byte[length];
        return stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false) == length ? bytes : throw new FormatException("it is truncated");
    }
}

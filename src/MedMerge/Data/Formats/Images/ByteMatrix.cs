using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MedMerge.Data.Formats.Images;

/// <summary>Matrices of bytes, row-major.</summary>
internal static class ByteMatrix
{
    private const int BlockRows = 8, BlockColumns = 16;

    /// <summary>Swaps rows and columns.</summary>
    /// <param name="matrix">[rows × columns].</param>
    /// <param name="result">[columns × rows].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(ReadOnlySpan<byte> matrix, int rows, int columns, Span<byte> result)
    {
        if (rows < BlockRows || columns < BlockColumns)
        {
            for (var y = 0; y < rows; y++)
                for (var x = 0; x < columns; x++) result[(x * rows) + y] = matrix[(y * columns) + x];
            return;
        }
        for (var y = 0; y < rows; y += BlockRows)
        {
            var top = Math.Min(y, rows - BlockRows); // the last blocks overlap those before
            for (var x = 0; x < columns; x += BlockColumns)
            {
                var left = Math.Min(x, columns - BlockColumns);
                TransposeBlock(matrix[((top * columns) + left)..], columns, result[((left * rows) + top)..], rows);
            }
        }
    }

    /// <summary>
    /// Two blocks of 8 × 8 bytes beside each other: swaps the quarters of 4 × 4 that lie off the diagonal, then those of 2 × 2 in each
    /// quarter, then single bytes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeBlock(ReadOnlySpan<byte> source, int sourceStep, Span<byte> target, int targetStep)
    {
        var (a, b, c, d) = (Load(source, 0), Load(source, sourceStep), Load(source, 2 * sourceStep), Load(source, 3 * sourceStep));
        source = source[(4 * sourceStep)..];
        var (e, f, g, h) = (Load(source, 0), Load(source, sourceStep), Load(source, 2 * sourceStep), Load(source, 3 * sourceStep));
        (a, e) = Swap(a, e, 32, 0x00000000ffffffff);
        (b, f) = Swap(b, f, 32, 0x00000000ffffffff);
        (c, g) = Swap(c, g, 32, 0x00000000ffffffff);
        (d, h) = Swap(d, h, 32, 0x00000000ffffffff);
        (a, c) = Swap(a, c, 16, 0x0000ffff0000ffff);
        (b, d) = Swap(b, d, 16, 0x0000ffff0000ffff);
        (e, g) = Swap(e, g, 16, 0x0000ffff0000ffff);
        (f, h) = Swap(f, h, 16, 0x0000ffff0000ffff);
        (a, b) = Swap(a, b, 8, 0x00ff00ff00ff00ff);
        (c, d) = Swap(c, d, 8, 0x00ff00ff00ff00ff);
        (e, f) = Swap(e, f, 8, 0x00ff00ff00ff00ff);
        (g, h) = Swap(g, h, 8, 0x00ff00ff00ff00ff);
        Store(a, target, 0, targetStep);
        Store(b, target, 1, targetStep);
        Store(c, target, 2, targetStep);
        Store(d, target, 3, targetStep);
        Store(e, target, 4, targetStep);
        Store(f, target, 5, targetStep);
        Store(g, target, 6, targetStep);
        Store(h, target, 7, targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ReadOnlySpan<byte> source, int start) =>
        Vector128.Create(source.Slice(start, BlockColumns)).AsUInt64();

    /// <summary>Swaps the upper half of each group of bits in the one with the lower half in the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<ulong> A, Vector128<ulong> B) Swap(Vector128<ulong> a, Vector128<ulong> b, int shift, ulong lower)
    {
        var difference = ((a >> shift) ^ b) & Vector128.Create(lower);
        return (a ^ (difference << shift), b ^ difference);
    }

    /// <summary>A row of each of the two blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<ulong> rows, Span<byte> target, int row, int step)
    {
        Vector64.CopyTo(rows.GetLower().AsByte(), target[(row * step)..]);
        Vector64.CopyTo(rows.GetUpper().AsByte(), target[((row + BlockRows) * step)..]);
    }
}

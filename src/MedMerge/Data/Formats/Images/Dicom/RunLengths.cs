using System.Buffers.Binary;

namespace MedMerge.Data.Formats.Images.Dicom;

/// <summary>Pixels in run lengths (DICOM PS3.5, annex G): each byte of each value is a segment of its own, the highest first.</summary>
internal static class RunLengths
{
    private const int HeaderLength = 64;

    /// <summary>Decodes a frame.</summary>
    /// <param name="pixels">How many.</param>
    /// <param name="samples">Values of a pixel.</param>
    /// <param name="bytes">Of a value.</param>
    /// <returns>Values in little endian, one plane for each sample.</returns>
    /// <exception cref="FormatException">It is malformed or cut off.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> frame, int pixels, int samples, int bytes)
    {
        if (frame.Length < HeaderLength) throw new FormatException("its pixels are cut off");
        var segments = BinaryPrimitives.ReadUInt32LittleEndian(frame);
        if (segments != samples * bytes) throw new FormatException($"its pixels have {segments} segments instead of {samples * bytes}");
        var decoded = new byte[pixels * samples * bytes];
        for (var segment = 0; segment < segments; segment++)
        {
            var start = BinaryPrimitives.ReadUInt32LittleEndian(frame[((segment + 1) * sizeof(uint))..]);
            if (start < HeaderLength || start > frame.Length) throw new FormatException("its pixels are malformed");
            var (sample, place) = (segment / bytes, bytes - 1 - (segment % bytes));
            DecodeSegment(frame[(int)start..], decoded.AsSpan(sample * pixels * bytes), place, bytes, pixels);
        }
        return decoded;
    }

    private static void DecodeSegment(ReadOnlySpan<byte> source, Span<byte> target, int first, int step, int count)
    {
        var (from, done) = (0, 0);
        while (done < count)
        {
            if (from + 1 >= source.Length) throw new FormatException("its pixels are cut off");
            var control = (sbyte)source[from++];
            if (control == sbyte.MinValue) continue;
            var isRun = control < 0;
            var length = Math.Min(isRun ? 1 - control : control + 1, count - done);
            if (!isRun && from + length > source.Length) throw new FormatException("its pixels are cut off");
            for (var i = 0; i < length; i++) target[first + ((done + i) * step)] = source[isRun ? from : from + i];
            from += isRun ? 1 : control + 1;
            done += length;
        }
    }
}

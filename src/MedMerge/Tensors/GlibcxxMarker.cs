using System.Buffers.Binary;
using System.Text;

namespace MedMerge.Tensors;

/// <summary>
/// Marks a shared library's need for GLIBCXX_3.4.32 as weak, in memory. That version holds one symbol of use here,
/// <c>std::ios_base_library_init</c>, an empty function that &lt;iostream&gt; refers to so that programs fail early on an older
/// libstdc++; no relocation of libLibTorchSharp.so uses it.
/// </summary>
internal static class GlibcxxMarker
{
    private const string Version = "GLIBCXX_3.4.32";
    private const uint SectionTypeVersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort WeakFlag = 2;                       // VER_FLG_WEAK

    /// <summary>Sets the weak flag on the marker in a 64-bit little-endian ELF image, in place.</summary>
    /// <returns>False where the image holds no such need.</returns>
    public static bool TryWeaken(Span<byte> image)
    {
        if (image.Length < 64 || !image[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
            return false;

        // ELF header: e_shoff at 0x28, e_shentsize at 0x3a, e_shnum at 0x3c.
        var sections = (int)U64(image, 0x28);
        int size = U16(image, 0x3a), count = U16(image, 0x3c);
        for (var i = 0; i < count; i++)
        {
            // Section header: sh_type at 4, sh_offset at 0x18, sh_link at 0x28, sh_info at 0x2c.
            var section = sections + (i * size);
            if (U32(image, section + 4) != SectionTypeVersionNeeds) continue;
            var names = (int)U64(image, sections + ((int)U32(image, section + 0x28) * size) + 0x18);
            return WeakenIn(image, (int)U64(image, section + 0x18), (int)U32(image, section + 0x2c), names);
        }
        return false;
    }

    private static bool WeakenIn(Span<byte> image, int need, int needs, int names)
    {
        for (var i = 0; i < needs; i++)
        {
            // Verneed: vn_cnt at 2, vn_aux at 8, vn_next at 12. Vernaux: vna_flags at 4, vna_name at 8, vna_next at 12.
            var aux = need + (int)U32(image, need + 8);
            for (var j = 0; j < U16(image, need + 2); j++)
            {
                if (NameAt(image, names + (int)U32(image, aux + 8)) == Version)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(image[(aux + 4)..], WeakFlag);
                    return true;
                }
                aux += (int)U32(image, aux + 12);
            }
            need += (int)U32(image, need + 12);
        }
        return false;
    }

    private static string NameAt(ReadOnlySpan<byte> image, int offset)
    {
        var tail = image[offset..];
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }

    private static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static ulong U64(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);
}

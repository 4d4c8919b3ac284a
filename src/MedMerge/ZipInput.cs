using System.IO.Compression;
using System.IO.Hashing;

namespace MedMerge;

/// <summary>A zip file from outside, read so that it can neither demand more memory than it is worth nor be damaged unnoticed.</summary>
internal sealed class ZipInput : IDisposable
{
    private const int MaxDeflateRatio = 1032; // the most that deflate achieves
    private const int MaxPlausibleRatio = 100; // pixels and weights never reach it, labels may
    private const int MaxImplausible = 64 << 20;

    private readonly ZipArchive _archive;
    private readonly OrderedDictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);

    private ZipInput(ZipArchive archive) => _archive = archive;

    /// <summary>The entries' names, in the file's order.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <summary>Reads the directory of a file image.</summary>
    /// <exception cref="FormatException">
    /// It is torn, an entry is there twice, or the entries together are more than the file holds.
    /// </exception>
    public static ZipInput Open(byte[] file)
    {
        var zip = Guarded("its zip directory", () => new ZipInput(new ZipArchive(new MemoryStream(file), ZipArchiveMode.Read)));
        try
        {
            var left = (long)file.Length;
            foreach (var entry in Guarded("its zip directory", () => zip._archive.Entries))
            {
                if (!zip._entries.TryAdd(entry.FullName, entry)) throw new FormatException($"its entry '{entry.FullName}' is there twice");
                left -= entry.CompressedLength;
                if (left < 0) throw new FormatException("its entries claim more bytes than the file has");
                if (entry.Length / MaxDeflateRatio > entry.CompressedLength)
                    throw new FormatException($"its entry '{entry.FullName}' claims {entry.Length} bytes, more than it can hold");
                if (entry.Length > MaxImplausible && entry.Length / MaxPlausibleRatio > entry.CompressedLength)
                {
                    throw new FormatException(
                        $"its entry '{entry.FullName}' would be {entry.Length >> 20} MiB from {entry.CompressedLength >> 10} KiB: " +
                        "no images or weights are so alike, and a zip bomb is");
                }
            }
            return zip;
        }
        catch
        {
            zip.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is an entry of that name.</summary>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>The length of an entry's content, in bytes.</summary>
    public long LengthOf(string name) => _entries[name].Length;

    /// <summary>Whether an entry's content is in the file as it is, not compressed.</summary>
    public bool IsStored(string name) => _entries[name].CompressedLength == _entries[name].Length;

    /// <summary>Reads the start of an entry, without checking the rest.</summary>
    /// <exception cref="FormatException">The entry is damaged, or <paramref name="read"/> says so.</exception>
    public T ReadStart<T>(string name, Func<Stream, T> read) => Guarded($"its entry '{name}'", () =>
    {
        using var content = _entries[name].Open();
        return read(content);
    });

    /// <summary>Reads an entry and checks it against its checksum, if it has one (0 means that it has none).</summary>
    /// <param name="skip">How many bytes at its start are checked and not returned.</param>
    /// <exception cref="FormatException">The entry is damaged.</exception>
    public byte[] Read(string name, int skip = 0)
    {
        var entry = _entries[name];
        if (entry.Length > Array.MaxLength) throw new FormatException($"its entry '{name}' is larger than 2 GiB");
        return Guarded($"its entry '{name}'", () =>
        {
            using var content = entry.Open();
            var checksum = new Crc32();
            Read(skip);
            var rest = Read((int)entry.Length - skip);
            if (entry.Crc32 != 0 && checksum.GetCurrentHashAsUInt32() != entry.Crc32)
                throw new FormatException($"its entry '{name}' is damaged: its checksum differs (CRC-32)");
            return rest;

            byte[] Read(int length)
            {
                var bytes = new byte[length];
                if (content.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length)
                    throw new FormatException($"its entry '{name}' is truncated");
                checksum.Append(bytes);
                return bytes;
            }
        });
    }

    /// <inheritdoc />
    public void Dispose() => _archive.Dispose();

    /// <summary>Names the place of what .NET's reader throws, which differs by what is wrong.</summary>
    private static T Guarded<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidDataException or IOException or NotSupportedException or ArgumentException)
        {
            throw new FormatException($"{place} is damaged or truncated ({error.Message.TrimEnd('.')})", error);
        }
    }
}

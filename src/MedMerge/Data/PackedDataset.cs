using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MedMerge.Data;

/// <summary>
/// A data set as one file, which is what nodes read, whatever format it was given in. The same data set gives the same bytes.
/// <list type="number">
/// <item>the text <c>MedMerge data set 1</c> and a line feed</item>
/// <item>the length of the header in bytes, int32</item>
/// <item>
/// the header, JSON: a <see cref="DatasetInfo"/>, the number of images of each split, the <see cref="ImageDataset.ContentHash"/>
/// </item>
/// <item>
/// for train, validation and test: pixels [count × height × width × channels], a byte each; labels [count], int32; where the header says
/// that there are any, weights [count], float32, and hashes of groups [count], uint64
/// </item>
/// </list>
/// Numbers are little-endian.
/// </summary>
internal static class PackedDataset
{
    private const int SplitCount = 3;

    private static readonly JsonSerializerOptions Json = new()
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private static ReadOnlySpan<byte> Magic => "MedMerge data set 1\n"u8;

    /// <summary>Packs a data set.</summary>
    /// <exception cref="InputException">It would have more than 2 GiB.</exception>
    public static byte[] Write(ImageDataset dataset)
    {
        ImageSplit[] splits = [.. dataset.Splits.Select(split => split.Split)];
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new Header(dataset.Info, [.. splits.Select(split => split.Count)], dataset.ContentHash)
            {
                Weighted = splits.Any(split => split.Weights is not null) ? [.. splits.Select(split => split.Weights is not null)] : null,
                Groups = HashGroups(splits),
            },
            Json);
        var length = Magic.Length + sizeof(int) + header.Length + splits.Sum(split => GetLength(dataset.Info, split));
        if (length > Array.MaxLength)
        {
            throw new InputException(
                $"Data set {dataset.Name} has {length / (double)(1 << 30):0.0} GiB of images; 2 GiB are the most. " +
                "'trainImages' keeps only some of the training images.");
        }
        var content = new byte[length];
        var rest = content.AsSpan();
        Append(ref rest, Magic);
        AppendNumber(ref rest, header.Length);
        Append(ref rest, header);
        foreach (var split in splits)
        {
            Append(ref rest, split.Pixels);
            foreach (var label in split.Labels) AppendNumber(ref rest, label);
            foreach (var weight in split.Weights ?? []) AppendNumber(ref rest, BitConverter.SingleToInt32Bits(weight));
            foreach (var group in split.Groups ?? [])
            {
                BinaryPrimitives.WriteUInt64LittleEndian(rest, group);
                rest = rest[sizeof(ulong)..];
            }
        }
        return content;
    }

    /// <summary>Reads a packed data set and checks its hash.</summary>
    /// <param name="origin">What messages call it.</param>
    /// <exception cref="InputException">It is truncated, damaged, or of another version.</exception>
    public static ImageDataset Read(ReadOnlySpan<byte> content, string origin)
    {
        try
        {
            return Read(content);
        }
        catch (Exception error) when (error is FormatException or JsonException or OverflowException)
        {
            throw new InputException(
                $"The data set {origin} can't be read: {error.Message.TrimEnd('.')}. Pack it again (submitting a sweep does).", error);
        }
    }

    private static ImageDataset Read(ReadOnlySpan<byte> content)
    {
        if (!content.StartsWith(Magic)) throw new FormatException("it is not a packed data set of this version");
        var rest = content[Magic.Length..];
        var headerLength = TakeNumber(ref rest);
        var header = JsonSerializer.Deserialize<Header>(Take(ref rest, headerLength), Json)
            ?? throw new FormatException("its header is null");
        Check(header);
        var train = TakeSplit(ref rest, header, 0);
        var validation = TakeSplit(ref rest, header, 1);
        var test = TakeSplit(ref rest, header, 2);
        if (rest.Length > 0) throw new FormatException($"{rest.Length} bytes follow its end");
        var dataset = new ImageDataset(header.Info, train, validation, test);
        if (dataset.ContentHash != header.Sha256 || HashGroups(train, validation, test) != header.Groups)
            throw new FormatException("it is damaged: its hash differs");
        return dataset.Validated();
    }

    private static void Check(Header header)
    {
        var info = header.Info;
        if (info.Height < 1 || info.Width < 1 || info.Channels is not (1 or 3))
            throw new FormatException($"its images have the shape [{info.Height}, {info.Width}, {info.Channels}]");
        if (header.Images.Count != SplitCount) throw new FormatException($"it has {header.Images.Count} splits instead of {SplitCount}");
        if (header.Weighted is { Count: not SplitCount }) throw new FormatException("it says of some splits whether they have weights");
    }

    private static ImageSplit TakeSplit(ref ReadOnlySpan<byte> rest, Header header, int position)
    {
        var count = header.Images[position];
        var pixels = Take(ref rest, checked(count * header.Info.ImageBytes)).ToArray();
        var labels = TakeNumbers(ref rest, count);
        var weights = header.Weighted?[position] == true ? TakeNumbers(ref rest, count) : null;
        var groups = header.Groups is null ? null : Take(ref rest, (long)count * sizeof(ulong)).ToArray();
        return new ImageSplit(pixels, labels)
        {
            Weights = weights is null ? null : Array.ConvertAll(weights, BitConverter.Int32BitsToSingle),
            Groups = groups?.Chunk(sizeof(ulong)).Select(bytes => BinaryPrimitives.ReadUInt64LittleEndian(bytes)).ToArray(),
        };
    }

    /// <summary>Of what the content hash leaves out, for training does not see it; null where there are no groups.</summary>
    private static string? HashGroups(params ReadOnlySpan<ImageSplit> splits)
    {
        if (splits[0].Groups is null) return null;
        var hash = new XxHash128();
        foreach (var split in splits) hash.Append(MemoryMarshal.AsBytes(split.Groups.AsSpan()));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static int[] TakeNumbers(ref ReadOnlySpan<byte> rest, int count)
    {
        var bytes = Take(ref rest, (long)count * sizeof(int));
        var numbers = new int[count];
        for (var i = 0; i < count; i++) numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * sizeof(int))..]);
        return numbers;
    }

    private static long GetLength(DatasetInfo info, ImageSplit split)
    {
        var (weight, group) = (split.Weights is null ? 0 : sizeof(float), split.Groups is null ? 0 : sizeof(ulong));
        return split.Count * (info.ImageBytes + sizeof(int) + weight + group);
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, long length)
    {
        if (length < 0) throw new FormatException("a length in it is negative");
        if (length > rest.Length) throw new FormatException("it is truncated");
        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }

    private static int TakeNumber(ref ReadOnlySpan<byte> rest) => BinaryPrimitives.ReadInt32LittleEndian(Take(ref rest, sizeof(int)));

    private static void Append(ref Span<byte> rest, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(rest);
        rest = rest[bytes.Length..];
    }

    private static void AppendNumber(ref Span<byte> rest, int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rest, number);
        rest = rest[sizeof(int)..];
    }

    /// <param name="Images">The number of images of each split.</param>
    /// <param name="Sha256">The data set's content hash.</param>
    private sealed record Header(DatasetInfo Info, IReadOnlyList<int> Images, string Sha256)
    {
        /// <summary>Whether each split has weights of its images; null where none has.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public IReadOnlyList<bool>? Weighted { get; init; }

        /// <summary>XXH128 of the hashes of groups, in hexadecimal; null where there are none.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Groups { get; init; }
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Numerics;
using static TorchSharp.torch;

namespace MedMerge.Tensors.PyTorch;

/// <summary>
/// Reads what <c>torch.save</c> writes, tensors and plain containers only. Two layouts:
/// <list type="bullet">
/// <item>since 1.6: a zip with <c>NAME/data.pkl</c> and one file <c>NAME/data/KEY</c> for each storage;</item>
/// <item>before: five pickles in a row (magic number, protocol 1001, system information, the object, the list of storage keys), then for
/// each key its element count (i64) and its elements.</item>
/// </list>
/// Layouts as in pytorch/pytorch torch/serialization.py.
/// </summary>
internal static class PyTorchFile
{
    private const long OldProtocol = 1001;
    private static readonly BigInteger OldMagic = BigInteger.Parse("119547037146038801333356", CultureInfo.InvariantCulture);

    /// <summary>The pickled object and its storages' bytes by key.</summary>
    /// <exception cref="FormatException">The file is torn, or asks for what is not allowed.</exception>
    public static (object? Root, IReadOnlyDictionary<string, byte[]> Storages) ReadZip(Stream file)
    {
        ZipArchive archive;
        try
        {
            archive = new ZipArchive(file, ZipArchiveMode.Read);
        }
        catch (InvalidDataException error)
        {
            throw new FormatException("its zip directory is missing: it is truncated", error);
        }
        using (archive)
        {
            var pickle = archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal))
                         ?? throw new FormatException("it is a zip without data.pkl, so not a PyTorch checkpoint");
            var folder = pickle.FullName[..^"data.pkl".Length];
            if (archive.GetEntry(folder + "byteorder") is { } order && System.Text.Encoding.ASCII.GetString(Content(order)) == "big")
                throw new FormatException("it was written on a big-endian machine");
            var root = new RestrictedUnpickler(new MemoryStream(Content(pickle))).Load();
            var data = folder + "data/";
            var storages = archive.Entries
                .Where(entry => entry.FullName.StartsWith(data, StringComparison.Ordinal))
                .ToDictionary(entry => entry.FullName[data.Length..], Content);
            return (root, storages);
        }
    }

    /// <inheritdoc cref="ReadZip" />
    public static (object? Root, IReadOnlyDictionary<string, byte[]> Storages) ReadOld(Stream file)
    {
        if (!IsMagic(new RestrictedUnpickler(file).Load()))
            throw new FormatException("it is neither safetensors nor a PyTorch checkpoint");
        if (new RestrictedUnpickler(file).Load() is not OldProtocol)
            throw new FormatException($"its protocol is not {OldProtocol}");
        if (new RestrictedUnpickler(file).Load() is PickledDictionary system
            && system.Entries.Any(entry => entry is { Key: "little_endian", Value: false }))
        {
            throw new FormatException("it was written on a big-endian machine");
        }
        var root = new RestrictedUnpickler(file).Load();
        var keys = new RestrictedUnpickler(file).Load() as List<object?> ?? throw new FormatException("its list of storages is missing");

        var types = StorageTypes(root);
        var storages = new Dictionary<string, byte[]>();
        foreach (var key in keys.OfType<string>())
        {
            if (!types.TryGetValue(key, out var type)) throw new FormatException($"its storage {key} belongs to no tensor");
            var elements = BinaryPrimitives.ReadInt64LittleEndian(Exactly(file, sizeof(long)));
            storages[key] = Exactly(file, checked(elements * ElementType.Of(type).Size));
        }
        return (root, storages);
    }

    /// <summary>Whether a file that is neither safetensors nor a zip may be an old checkpoint: it starts with a pickle's PROTO.</summary>
    public static bool LooksOld(ReadOnlySpan<byte> start) => start is [0x80, 2 or 3 or 4, ..];

    private static bool IsMagic(object? value) => value is BigInteger number && number == OldMagic;

    /// <summary>
    /// The element type of every storage that a tensor refers to. By a list, not by recursion: a pickle may be as deep as it is long, and
    /// contain itself.
    /// </summary>
    private static Dictionary<string, ScalarType> StorageTypes(object? root)
    {
        var types = new Dictionary<string, ScalarType>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var waiting = new Stack<object?>([root]);
        while (waiting.TryPop(out var value))
        {
            if (value is null || !seen.Add(value)) continue;
            if (value is PickledTensor tensor) types[tensor.Storage.Key] = tensor.Storage.Type;
            foreach (var inner in ValuesIn(value)) waiting.Push(inner);
        }
        return types;
    }

    private static IEnumerable<object?> ValuesIn(object value) => value is PickledDictionary dictionary
        ? dictionary.Entries.Select(entry => entry.Value)
        : value as IEnumerable<object?> ?? [];

    private static byte[] Content(ZipArchiveEntry entry)
    {
        try
        {
            using var content = entry.Open();
            return Exactly(content, entry.Length);
        }
        catch (InvalidDataException error)
        {
            throw new FormatException($"its entry '{entry.FullName}' is damaged ({error.Message})", error);
        }
    }

    private static byte[] Exactly(Stream stream, long length)
    {
        if (length < 0 || length > Array.MaxLength || (stream.CanSeek && length > stream.Length - stream.Position))
            throw new FormatException("it ends in the middle of a tensor: it is truncated");
        var bytes = new byte[length];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < length)
            throw new FormatException("it ends in the middle of a tensor: it is truncated");
        return bytes;
    }
}

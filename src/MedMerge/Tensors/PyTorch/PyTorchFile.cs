using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace MedMerge.Tensors.PyTorch;

/// <summary>
/// What <c>torch.save</c> wrote: the pickled object, and the storages, which are read when they are asked for. Two layouts:
/// <list type="bullet">
/// <item>since 1.6: a zip with <c>NAME/data.pkl</c> and one file <c>NAME/data/KEY</c> for each storage;</item>
/// <item>before: five pickles in a row (magic number, protocol 1001, system information, the object, the list of storage keys), then for
/// each key its element count (i64) and its elements.</item>
/// </list>
/// Layouts as in pytorch/pytorch torch/serialization.py.
/// </summary>
internal sealed class PyTorchFile : IDisposable
{
    private const long OldProtocol = 1001;
    private static readonly BigInteger OldMagic = BigInteger.Parse("119547037146038801333356", CultureInfo.InvariantCulture);

    private readonly Dictionary<string, ReadOnlyMemory<byte>> _storages = [];
    private readonly ZipInput? _zip;
    private readonly string _folder;

    private PyTorchFile(object? root, ZipInput? zip, string folder)
    {
        Root = root;
        _zip = zip;
        _folder = folder;
    }

    /// <summary>The pickled object.</summary>
    public object? Root { get; }

    /// <summary>Reads the layout since PyTorch 1.6.</summary>
    /// <exception cref="FormatException">The file is torn, or asks for what is not allowed.</exception>
    public static PyTorchFile ReadZip(byte[] file)
    {
        var zip = ZipInput.Open(file);
        try
        {
            const string pickleName = "data.pkl";
            var pickle = zip.Names.FirstOrDefault(name => name.EndsWith("/" + pickleName, StringComparison.Ordinal))
                         ?? throw new FormatException(zip.Names.Any(name => name.EndsWith(".npy", StringComparison.Ordinal))
                             ? "it is a NumPy .npz file"
                             : "it is a zip without data.pkl, so not a PyTorch checkpoint");
            var folder = pickle[..^pickleName.Length];
            var order = folder + "byteorder";
            if (zip.Contains(order) && Encoding.ASCII.GetString(ReadStored(zip, order)) == "big")
                throw new FormatException("it was written on a big-endian machine");
            var root = new RestrictedUnpickler(new MemoryStream(ReadStored(zip, pickle))).Load();
            return new PyTorchFile(root, zip, folder + "data/");
        }
        catch
        {
            zip.Dispose();
            throw;
        }
    }

    /// <summary>Reads the layout before PyTorch 1.6.</summary>
    /// <exception cref="FormatException">The file is torn, or asks for what is not allowed.</exception>
    public static PyTorchFile ReadOld(byte[] file)
    {
        using var stream = new MemoryStream(file);
        if (!IsMagic(new RestrictedUnpickler(stream).Load()))
            throw new FormatException("it is neither safetensors nor a PyTorch checkpoint");
        if (new RestrictedUnpickler(stream).Load() is not OldProtocol)
            throw new FormatException($"its protocol is not {OldProtocol}");
        if (new RestrictedUnpickler(stream).Load() is PickledDictionary system
            && system.Entries.Any(entry => entry is { Key: "little_endian", Value: false }))
        {
            throw new FormatException("it was written on a big-endian machine");
        }
        var unpickler = new RestrictedUnpickler(stream);
        var old = new PyTorchFile(unpickler.Load(), zip: null, folder: "");
        var keys = new RestrictedUnpickler(stream).Load() as List<object?> ?? throw new FormatException("its list of storages is missing");
        old.FindStorages(file, (int)stream.Position, keys.OfType<string>(), unpickler.Storages);
        return old;
    }

    /// <summary>Whether a file that is neither safetensors nor a zip may be an old checkpoint: it starts with a pickle's PROTO.</summary>
    public static bool LooksOld(ReadOnlySpan<byte> start) => start is [0x80, 2 or 3 or 4, ..];

    /// <summary>The bytes of a storage.</summary>
    /// <exception cref="FormatException">It is missing or damaged.</exception>
    public ReadOnlyMemory<byte> GetStorage(string key)
    {
        if (_storages.TryGetValue(key, out var known)) return known;
        var name = _folder + key;
        if (_zip is null || !_zip.Contains(name)) throw new FormatException($"its storage {key} is missing: it is truncated");
        var bytes = ReadStored(_zip, name);
        _storages[key] = bytes;
        return bytes;
    }

    /// <inheritdoc />
    public void Dispose() => _zip?.Dispose();

    private static bool IsMagic(object? value) => value is BigInteger number && number == OldMagic;

    /// <summary>PyTorch never compresses; what is stored as it is can't be more than the file.</summary>
    private static byte[] ReadStored(ZipInput zip, string name) => zip.IsStored(name)
        ? zip.Read(name)
        : throw new FormatException($"its entry '{name}' is compressed, which PyTorch never does: save it again with torch.save");

    private void FindStorages(
        byte[] file,
        int at,
        IEnumerable<string> keys,
        IReadOnlyDictionary<string, PickledStorage> described)
    {
        foreach (var key in keys)
        {
            if (!described.TryGetValue(key, out var storage)) throw new FormatException($"its storage {key} belongs to no tensor");
            if (storage.Type is not { } type)
                throw new FormatException($"its storage {key} has the type {storage.TypeName}, which is not read");
            if (file.Length - at < sizeof(long)) throw Truncated();
            var elements = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            at += sizeof(long);
            var length = checked(elements * type.Size);
            if (length < 0 || length > file.Length - at) throw Truncated();
            _storages[key] = file.AsMemory(at, (int)length);
            at += (int)length;
        }
    }

    private static FormatException Truncated() => new("it ends in the middle of a tensor: it is truncated");
}

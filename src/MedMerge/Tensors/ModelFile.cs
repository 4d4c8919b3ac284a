using MedMerge.Tensors.Onnx;
using MedMerge.Tensors.PyTorch;
using Microsoft.Win32.SafeHandles;

namespace MedMerge.Tensors;

/// <summary>
/// A weight file: the names, types and shapes of its tensors under the names it uses, and their values as far as they are asked for.
/// Which of the tensors are a model is for the reader to say, who knows what it looks for.
/// </summary>
internal sealed class ModelFile : IDisposable
{
    /// <summary>What messages call such a file.</summary>
    public const string Kind = "weight file";

    private const string Formats = "a safetensors file, a PyTorch checkpoint or an ONNX model";

    private const int FormatBytes = 16; // tell the formats apart

    private readonly OrderedDictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);
    private readonly IDisposable? _source;
    private readonly Lazy<string[]> _sortedNames;

    private ModelFile(string format, IEnumerable<StoredTensor> tensors, IDisposable? source)
    {
        Format = format;
        foreach (var tensor in tensors) _tensors.Add(tensor.Name, tensor);
        _source = source;
        _sortedNames = new Lazy<string[]>(() => [.. _tensors.Keys.Order(StringComparer.Ordinal)]);
    }

    /// <summary>What kind of file it is, in words.</summary>
    public string Format { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<StoredTensor> Tensors => _tensors.Values;

    /// <summary>What safetensors and ONNX files say about themselves; empty for other files.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private init; } = new Dictionary<string, string>();

    /// <summary>Objects that are not read, by name, and their classes; empty for safetensors.</summary>
    public IReadOnlyDictionary<string, string> Unread { get; private init; } = new Dictionary<string, string>();

    /// <summary>An ONNX model's operations, in the order in which they run; empty for other files.</summary>
    public IReadOnlyList<OnnxNode> Nodes { get; private init; } = [];

    /// <summary>Reads safetensors, a PyTorch checkpoint, old or new, or an ONNX model; the content decides which.</summary>
    /// <exception cref="InputException">The file is missing, torn, or of another kind.</exception>
    public static ModelFile Read(string path) => Read(InputFile.Read(path, Kind), $"'{path}'");

    /// <inheritdoc cref="Read(string)" />
    public static ModelFile Read(byte[] bytes, string origin)
    {
        if (bytes.Length == 0) throw new InputException($"{origin} is empty.");
        if (!IsSafetensors(bytes, bytes.Length))
        {
            var isZip = IsZip(bytes);
            if (isZip || PyTorchFile.LooksOld(bytes)) return ReadPyTorch(bytes, origin, isZip);
            if (OnnxFile.LooksLike(bytes)) return ReadOnnx(bytes, origin);
            if (FileContent.Describe(bytes) is { } other)
                throw new InputException($"{origin} is {other}; a {Kind} is {Formats}.");
        }
        var header = SafetensorsHeader.Read(bytes, bytes.Length, origin);
        return OfSafetensors(header, (begin, buffer) => bytes.AsSpan((int)begin, buffer.Length).CopyTo(buffer), file: null);
    }

    /// <summary>
    /// Opens a file to read its tensors' bytes piece by piece, without libtorch. Of a safetensors file only the header is read, and it may
    /// have any size; other files are read whole.
    /// </summary>
    /// <exception cref="InputException">The file is missing, torn, or of another kind.</exception>
    public static ModelFile Open(string path)
    {
        var origin = $"'{path}'";
        var handle = InputFile.Open(path, Kind);
        try
        {
            var length = RandomAccess.GetLength(handle);
            var start = ReadStart(handle, FormatBytes);
            if (IsSafetensors(start, length))
            {
                var header = SafetensorsHeader.Read(
                    ReadStart(handle, SafetensorsHeader.FindData(start, length) ?? FormatBytes),
                    length,
                    origin);
                return OfSafetensors(header, (begin, buffer) => ReadExactly(handle, begin, buffer, origin), handle);
            }
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        handle.Dispose();
        return Read(InputFile.Read(path, Kind), origin);
    }

    /// <summary>A file of the same kind that has these tensors.</summary>
    public ModelFile WithTensors(IEnumerable<StoredTensor> tensors) => new(Format, tensors, source: null) { Metadata = Metadata };

    /// <summary>The tensor of that name; null if there is none.</summary>
    public StoredTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>The names that start with a prefix.</summary>
    public IEnumerable<string> NamesUnder(string prefix)
    {
        var names = _sortedNames.Value;
        var found = Array.BinarySearch(names, prefix, StringComparer.Ordinal);
        var start = found >= 0 ? found : ~found;
        return names.Skip(start).TakeWhile(name => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    /// <inheritdoc />
    public void Dispose() => _source?.Dispose();

    /// <summary>
    /// Whether a file is safetensors, whole or not. The length of a header may look like the start of a PyTorch checkpoint: 640 is 80 02.
    /// </summary>
    private static bool IsSafetensors(ReadOnlySpan<byte> start, long length) =>
        FileContent.IsSafetensors(start)
        || (!IsZip(start) && !PyTorchFile.LooksOld(start) && SafetensorsHeader.FindData(start, length) is not null);

    private static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8);

    private static byte[] ReadStart(SafeFileHandle handle, int length)
    {
        var start = new byte[length];
        var read = Fill(handle, 0, start);
        return start[..read];
    }

    private static void ReadExactly(SafeFileHandle handle, long begin, Span<byte> buffer, string origin)
    {
        if (Fill(handle, begin, buffer) < buffer.Length) throw new InputException($"{origin} became shorter while it was read.");
    }

    /// <returns>How many bytes were read: fewer than the buffer has where the file ends.</returns>
    private static int Fill(SafeFileHandle handle, long begin, Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = RandomAccess.Read(handle, buffer[filled..], begin + filled);
            if (read == 0) break;
            filled += read;
        }
        return filled;
    }

    /// <param name="read">Reads from a position of the file.</param>
    private static ModelFile OfSafetensors(SafetensorsHeader header, TensorReader read, IDisposable? file)
    {
        var tensors = header.Entries.Select(entry => new StoredTensor(
            entry.Name,
            entry.Type,
            entry.Shape,
            ElementType.Named(entry.Type) is null ? null : () => (offset, buffer) => read(entry.Begin + offset, buffer)));
        return new ModelFile("safetensors", tensors, file) { Metadata = header.Metadata };
    }

    private static ModelFile ReadPyTorch(byte[] bytes, string origin, bool isZip)
    {
        PyTorchFile? file = null;
        try
        {
            file = isZip ? PyTorchFile.ReadZip(bytes) : PyTorchFile.ReadOld(bytes);
            var content = CheckpointContent.Of(file.Root);
            var tensors = content.Tensors.Select(pair => Describe(pair.Key, pair.Value, file, origin));
            var format = isZip ? "PyTorch checkpoint (zip)" : "PyTorch checkpoint (before 1.6)";
            return new ModelFile(format, tensors, file) { Unread = content.Unread };
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            file?.Dispose();
            throw Invalid(origin, error);
        }
    }

    private static ModelFile ReadOnnx(byte[] bytes, string origin)
    {
        try
        {
            var file = OnnxFile.Read(bytes);
            return new ModelFile("ONNX model", file.Tensors, source: null)
            {
                Metadata = file.Metadata,
                Nodes = file.Nodes,
            };
        }
        catch (FormatException error)
        {
            throw new InputException($"{origin} can't be read as an ONNX model: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private static StoredTensor Describe(string name, PickledTensor tensor, PyTorchFile file, string origin)
    {
        var type = tensor.Storage.Type;
        return new StoredTensor(name, type?.Name ?? tensor.Storage.TypeName, tensor.Shape, type is null ? null : Open);

        TensorReader Open()
        {
            try
            {
                var bytes = tensor.Read(name, type, file.GetStorage(tensor.Storage.Key));
                return (offset, buffer) => bytes.Span.Slice((int)offset, buffer.Length).CopyTo(buffer);
            }
            catch (Exception error) when (error is FormatException or OverflowException)
            {
                throw Invalid(origin, error);
            }
        }
    }

    private static InputException Invalid(string origin, Exception error) =>
        new($"{origin} can't be read as a PyTorch checkpoint: {error.Message.TrimEnd('.')}.", error);
}

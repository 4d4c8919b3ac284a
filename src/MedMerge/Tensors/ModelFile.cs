using MedMerge.Tensors.PyTorch;

namespace MedMerge.Tensors;

/// <summary>
/// A weight file: the names, types and shapes of its tensors under the names it uses, and their values as far as they are asked for.
/// Which of the tensors are a model is for the reader to say, who knows what it looks for.
/// </summary>
internal sealed class ModelFile : IDisposable
{
    /// <summary>What messages call such a file.</summary>
    public const string Kind = "weight file";

    private readonly OrderedDictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);
    private readonly IDisposable? _storages;
    private readonly Lazy<string[]> _sortedNames;

    private ModelFile(string format, IEnumerable<StoredTensor> tensors, IDisposable? storages)
    {
        Format = format;
        foreach (var tensor in tensors) _tensors.Add(tensor.Name, tensor);
        _storages = storages;
        _sortedNames = new Lazy<string[]>(() => [.. _tensors.Keys.Order(StringComparer.Ordinal)]);
    }

    /// <summary>What kind of file it is, in words.</summary>
    public string Format { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<StoredTensor> Tensors => _tensors.Values;

    /// <summary>safetensors metadata; empty for other files.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private init; } = new Dictionary<string, string>();

    /// <summary>Objects that are not read, by name, and their classes; empty for safetensors.</summary>
    public IReadOnlyDictionary<string, string> Unread { get; private init; } = new Dictionary<string, string>();

    /// <summary>Reads safetensors or a PyTorch checkpoint, old or new; the content decides which.</summary>
    /// <exception cref="InputException">The file is missing, torn, or of another kind.</exception>
    public static ModelFile Read(string path) => Read(InputFile.Read(path, Kind), $"'{path}'");

    /// <inheritdoc cref="Read(string)" />
    public static ModelFile Read(byte[] bytes, string origin)
    {
        TorchRuntime.Start();
        if (bytes.Length == 0) throw new InputException($"{origin} is empty.");
        var isZip = bytes.AsSpan().StartsWith("PK\x03\x04"u8);
        if (isZip || PyTorchFile.LooksOld(bytes)) return ReadPyTorch(bytes, origin, isZip);
        var isSafetensors = SafetensorsHeader.HasLength(bytes) || FileContent.IsSafetensors(bytes);
        if (!isSafetensors && FileContent.Describe(bytes) is { } other)
            throw new InputException($"{origin} is {other}; a {Kind} is a safetensors file or a PyTorch checkpoint.");
        return ReadSafetensors(bytes, origin);
    }

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
    public void Dispose() => _storages?.Dispose();

    private static ModelFile ReadSafetensors(byte[] bytes, string origin)
    {
        var header = SafetensorsHeader.Read(bytes, origin);
        var tensors = header.Entries.Select(entry =>
        {
            var type = ElementType.Named(entry.Type);
            return new StoredTensor(
                entry.Name,
                entry.Type,
                entry.Shape,
                type is null ? null : () => type.CreateTensor(bytes.AsSpan(entry.Begin, entry.Length), entry.Shape));
        });
        return new ModelFile("safetensors", tensors, storages: null) { Metadata = header.Metadata };
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

    private static StoredTensor Describe(string name, PickledTensor tensor, PyTorchFile file, string origin)
    {
        var type = tensor.Storage.Type;
        return new StoredTensor(name, type?.Name ?? tensor.Storage.TypeName, tensor.Shape, type is null ? null : Read);

        TorchSharp.torch.Tensor Read()
        {
            try
            {
                return tensor.Read(name, type, file.GetStorage(tensor.Storage.Key));
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

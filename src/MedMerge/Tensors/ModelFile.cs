using MedMerge.Tensors.PyTorch;
using TorchSharp;

namespace MedMerge.Tensors;

/// <summary>A weight file as read: its tensors under the names it uses, its metadata, and what was done to find them.</summary>
/// <param name="Tensors">The tensors, in the file's order.</param>
/// <param name="Format">What kind of file it is, in words.</param>
/// <param name="Metadata">safetensors metadata; empty for other files.</param>
/// <param name="Notes">What the reader detected, one sentence each.</param>
internal sealed record ModelFile(
    StateDict Tensors,
    string Format,
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyList<string> Notes) : IDisposable
{
    /// <summary>What messages call such a file.</summary>
    public const string Kind = "weight file";

    /// <summary>Where training scripts put the state dictionary, by how often they do.</summary>
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model", "net", "weights"];

    /// <summary>Tensors of types that are not read; a reader that needs one refuses the file.</summary>
    public IReadOnlyList<UnreadTensor> Unread { get; init; } = [];

    /// <summary>Every tensor's name, read or not.</summary>
    public IEnumerable<string> Names => Tensors.Names.Concat(Unread.Select(tensor => tensor.Name));

    /// <summary>Reads safetensors or a PyTorch checkpoint, old or new; the content decides which.</summary>
    /// <exception cref="InputException">The file is missing, torn, of another kind, or asks for code to run.</exception>
    public static ModelFile Read(string path) => Read(InputFile.Read(path, Kind), $"'{path}'");

    /// <inheritdoc cref="Read(string)" />
    public static ModelFile Read(byte[] bytes, string origin)
    {
        TorchRuntime.Start();
        if (bytes.Length == 0) throw new InputException($"{origin} is empty.");
        var isZip = bytes.AsSpan().StartsWith("PK\x03\x04"u8);
        if (!isZip && !PyTorchFile.LooksOld(bytes))
        {
            var unread = new List<UnreadTensor>();
            var (tensors, metadata) = Safetensors.Read(bytes, origin, unread);
            return new ModelFile(tensors, "safetensors", metadata, []) { Unread = unread };
        }
        try
        {
            using var stream = new MemoryStream(bytes);
            var (root, storages) = isZip ? PyTorchFile.ReadZip(stream) : PyTorchFile.ReadOld(stream);
            var notes = new List<string>();
            var tensors = Materialise(Unwrap(root, notes), storages);
            var format = isZip ? "PyTorch checkpoint (zip)" : "PyTorch checkpoint (before 1.6)";
            return new ModelFile(tensors, format, new Dictionary<string, string>(), notes);
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            throw new InputException($"{origin} can't be read as a PyTorch checkpoint: {error.Message}.", error);
        }
    }

    /// <inheritdoc />
    public void Dispose() => Tensors.Dispose();

    private static PickledDictionary Unwrap(object? root, List<string> notes)
    {
        var dictionary = root as PickledDictionary ?? throw new FormatException("it does not hold a dictionary of tensors");
        if (HoldsTensors(dictionary)) return dictionary;
        var inner = dictionary.Entries
            .Where(entry => entry.Value is PickledDictionary candidate && HoldsTensors(candidate))
            .OrderBy(entry => Array.IndexOf(Wrappers, entry.Key) is >= 0 and var rank ? rank : Wrappers.Length)
            .FirstOrDefault();
        if (inner.Value is not PickledDictionary found)
        {
            var keys = string.Join(", ", dictionary.Entries.Take(8).Select(entry => entry.Key));
            throw new FormatException($"it holds no dictionary of tensors (its keys: {keys})");
        }
        notes.Add($"took the tensors under '{inner.Key}'");
        return found;
    }

    private static bool HoldsTensors(PickledDictionary dictionary) =>
        dictionary.Entries.Any(entry => entry is { Key: string, Value: PickledTensor });

    private static StateDict Materialise(PickledDictionary dictionary, IReadOnlyDictionary<string, byte[]> storages)
    {
        var tensors = new StateDict();
        try
        {
            foreach (var (key, value) in dictionary.Entries)
            {
                if (key is not string name || value is not PickledTensor tensor) continue;
                using var scope = torch.NewDisposeScope();
                tensors.Add(name, View(name, tensor, storages));
            }
            return tensors;
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    private static torch.Tensor View(string name, PickledTensor tensor, IReadOnlyDictionary<string, byte[]> storages)
    {
        if (!storages.TryGetValue(tensor.Storage.Key, out var bytes))
            throw new FormatException($"the storage of tensor '{name}' is missing");
        var type = ElementType.Of(tensor.Storage.Type);
        var (shape, strides) = (tensor.Shape, tensor.Strides);
        if (shape.Length != strides.Length || shape.Any(size => size < 0) || strides.Any(stride => stride < 0) || tensor.Offset < 0)
            throw new FormatException($"tensor '{name}' has an impossible shape");
        var last = shape.Contains(0) ? -1 : tensor.Offset + shape.Zip(strides, (size, stride) => checked((size - 1) * stride)).Sum();
        var elements = bytes.Length / type.Size;
        if (last >= elements)
        {
            throw new FormatException(
                $"tensor '{name}' of shape [{string.Join(", ", shape)}] reaches beyond its storage of {elements} elements");
        }
        if (shape.Aggregate(1L, (product, size) => checked(product * size)) > elements)
            throw new FormatException($"tensor '{name}' claims more elements than its storage has");
        using var storage = type.CreateTensor(bytes, [elements]);
        return storage.as_strided(shape, strides, tensor.Offset).clone();
    }
}

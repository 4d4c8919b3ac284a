using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>A tensor in a weight file: what the file says of it, and its values once they are asked for.</summary>
/// <param name="Name">Its name in the file; in a PyTorch checkpoint with the keys that lead to it: <c>state_dict.conv1.weight</c>.</param>
/// <param name="Type">The file's name of its element type, such as <c>F32</c> or <c>F8_E4M3</c>.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="ReadValues">Reads it as a new tensor on the CPU; null where the type is none of <see cref="ElementType.All"/>.</param>
internal sealed record StoredTensor(string Name, string Type, IReadOnlyList<long> Shape, Func<Tensor>? ReadValues)
{
    /// <summary>Whether its values are floating-point numbers that can be read.</summary>
    public bool IsFloat => ReadValues is not null && ElementType.Named(Type) is { IsFloat: true };

    /// <summary>Whether it holds a NaN or an infinity.</summary>
    public bool HasNonFinite()
    {
        if (!IsFloat) return false;
        using var scope = NewDisposeScope();
        using var values = Read();
        return !values.isfinite().all().item<bool>();
    }

    /// <summary>Reads it as a new tensor on the CPU.</summary>
    /// <exception cref="InputException">Its bytes are missing or damaged, or its type is not read.</exception>
    public Tensor Read() => ReadValues is { } read ? read() : throw new InputException($"'{Name}' has the type {Type}, which is not read.");
}

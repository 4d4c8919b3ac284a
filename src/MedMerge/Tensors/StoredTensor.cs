using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>Reads a part of a tensor's bytes, which are little-endian and row-major. Several threads may call it.</summary>
/// <param name="offset">In bytes from the tensor's start.</param>
/// <param name="destination">Filled whole.</param>
/// <exception cref="InputException">The file ends before.</exception>
internal delegate void TensorReader(long offset, Span<byte> destination);

/// <summary>A tensor in a weight file: what the file says of it, and its values once they are asked for.</summary>
/// <param name="Name">Its name in the file; in a PyTorch checkpoint with the keys that lead to it: <c>state_dict.conv1.weight</c>.</param>
/// <param name="Type">The file's name of its element type, such as <c>F32</c> or <c>F8_E4M3</c>.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="OpenValues">Gives a reader of its bytes; null where the type is none of <see cref="ElementType.All"/>.</param>
internal sealed record StoredTensor(string Name, string Type, IReadOnlyList<long> Shape, Func<TensorReader>? OpenValues)
{
    /// <summary>Whether its values are floating-point numbers that can be read.</summary>
    public bool IsFloat => OpenValues is not null && ElementType.Named(Type) is { IsFloat: true };

    /// <summary>The number of its values.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>A vector of zeros that a file does not have.</summary>
    public static StoredTensor Zeros(string name, long length) => new(name, "F32", [length], () => (_, buffer) => buffer.Clear());

    /// <summary>Reads the values of a floating-point tensor.</summary>
    /// <exception cref="InputException">Its bytes are missing or damaged.</exception>
    public double[] ReadDoubles()
    {
        var type = ElementType.Named(Type)!;
        var values = new double[Count];
        var bytes = new byte[Count * type.Size];
        Open()(0, bytes);
        FloatConversion.Widen(type, bytes, values, type.Size == sizeof(short) ? new float[Count] : []);
        return values;
    }

    /// <summary>Gives a reader of its bytes.</summary>
    /// <exception cref="InputException">Its bytes are missing or damaged, or its type is not read.</exception>
    public TensorReader Open() =>
        OpenValues is { } open ? open() : throw new InputException($"'{Name}' has the type {Type}, which is not read.");

    /// <summary>Reads it as a new tensor on the CPU, outside any dispose scope.</summary>
    /// <exception cref="InputException">Its bytes are missing or damaged, or its type is not read.</exception>
    public Tensor Read()
    {
        TorchRuntime.Start();
        var read = Open();
        var tensor = empty(Shape.ToArray(), dtype: ElementType.Named(Type)!.Torch).DetachFromDisposeScope();
        if (Count > 0) read(0, tensor.bytes);
        return tensor;
    }
}

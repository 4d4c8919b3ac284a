using System.Runtime.InteropServices;
using MedMerge.Merging.Files;
using MedMerge.Tensors;

namespace MedMerge.Tests.Merging.Files;

/// <summary>Weight files of random values, made without libtorch.</summary>
internal sealed class TensorFile
{
    private static readonly double[] Special =
        [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, 1e-42, -6e-8, double.Epsilon, 65504, 3e38, 1e300];

    private readonly List<(string Name, ElementType Type, IReadOnlyList<long> Shape)> _tensors = [];
    private readonly List<byte[]> _data = [];

    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Normal and special values, some of them beyond the type.</summary>
    public TensorFile Add(string name, string type, int seed, params long[] shape)
    {
        var random = new Random(seed);
        var values = new double[shape.Aggregate(1L, (product, size) => product * size)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.Next(20) == 0 ? Special[random.Next(Special.Length)] : (random.NextDouble() - 0.5) * random.Next(1, 9);
        return Add(name, type, values, shape);
    }

    public TensorFile Add(string name, string type, double[] values, params long[] shape)
    {
        var element = ElementType.Named(type)!;
        var bytes = new byte[values.Length * element.Size];
        if (element.IsFloat) FloatConversion.Narrow(element, values, bytes, new float[values.Length]);
        else values.Select(value => (long)value).ToArray().AsSpan().CopyTo(MemoryMarshal.Cast<byte, long>(bytes.AsSpan()));
        _tensors.Add((name, element, shape));
        _data.Add(bytes);
        return this;
    }

    public void Write(string path)
    {
        using var file = File.Create(path);
        file.Write(SafetensorsHeader.Write(_tensors, Metadata));
        foreach (var bytes in _data) file.Write(bytes);
    }

    /// <summary>A tensor's values and its bytes in a file.</summary>
    public static (double[] Values, byte[] Bytes) Read(ModelFile file, string name)
    {
        var tensor = file.Find(name)!;
        var type = ElementType.Named(tensor.Type)!;
        var bytes = new byte[tensor.Count * type.Size];
        tensor.Open()(0, bytes);
        var values = new double[tensor.Count];
        if (type.IsFloat) FloatConversion.Widen(type, bytes, values, new float[values.Length]);
        return (values, bytes);
    }
}

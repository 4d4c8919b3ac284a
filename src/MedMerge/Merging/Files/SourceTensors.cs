using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MedMerge.Tensors;

namespace MedMerge.Merging.Files;

/// <summary>The floating-point tensor of one name and shape in all files.</summary>
internal sealed class SourceTensors
{
    private readonly ElementType[] _types;
    private readonly TensorReader[] _readers;
    private readonly long _count;
    private readonly ChunkLoop _chunks;

    /// <param name="tensors">One a file.</param>
    public SourceTensors(IReadOnlyList<StoredTensor> tensors, ChunkLoop chunks)
    {
        _types = [.. tensors.Select(tensor => ElementType.Named(tensor.Type)!)];
        _readers = [.. tensors.Select(tensor => tensor.Open())];
        _count = tensors[0].Count;
        _chunks = chunks;
    }

    /// <summary>Σᵢ cᵢxᵢ, added up in the files' order in float64 and rounded once to the first file's type.</summary>
    /// <param name="coefficients">One a file.</param>
    /// <param name="write">Takes bytes at an offset from the tensor's start; several threads call it.</param>
    public void WriteSum(IReadOnlyList<double> coefficients, Action<long, ReadOnlySpan<byte>> write) =>
        _chunks.Run(_count, (first, length, buffers) =>
        {
            var sum = buffers.Others.AsSpan(0, length);
            sum.Fill(-0.0); // what adding to leaves even a negative zero as it is
            for (var source = 0; source < _readers.Length; source++) AddScaled(source, first, coefficients[source], sum, buffers);
            var bytes = buffers.Bytes.AsSpan(0, length * _types[0].Size);
            FloatConversion.Narrow(_types[0], sum, bytes, buffers.Singles.AsSpan(0, length));
            write(first * _types[0].Size, bytes);
        });

    /// <summary>The cosine of the angle between the first two files' values; NaN where one has no length or is not finite.</summary>
    public double ComputeCosine()
    {
        var chunks = ChunkLoop.CountChunks(_count);
        var products = new double[chunks];
        var firstSquares = new double[chunks];
        var secondSquares = new double[chunks];
        _chunks.Run(_count, (first, length, buffers) =>
        {
            var one = buffers.Values.AsSpan(0, length);
            var two = buffers.Others.AsSpan(0, length);
            Read(0, first, one, buffers);
            Read(1, first, two, buffers);
            var chunk = first / ChunkLoop.Elements;
            (products[chunk], firstSquares[chunk], secondSquares[chunk]) = FilterArithmetic.Products(one, two);
        });
        return products.Sum() / (Math.Sqrt(firstSquares.Sum()) * Math.Sqrt(secondSquares.Sum()));
    }

    private void AddScaled(int source, long first, double coefficient, Span<double> sum, ChunkBuffers buffers)
    {
        if (_types[source].Name == "F32")
        {
            var singles = buffers.Singles.AsSpan(0, sum.Length);
            _readers[source](first * sizeof(float), MemoryMarshal.AsBytes(singles));
            FilterArithmetic.AddScaled(singles, coefficient, sum);
            return;
        }
        var values = buffers.Values.AsSpan(0, sum.Length);
        Read(source, first, values, buffers);
        TensorPrimitives.MultiplyAdd(values, coefficient, sum, sum);
    }

    private void Read(int source, long first, Span<double> values, ChunkBuffers buffers)
    {
        var type = _types[source];
        var bytes = buffers.Bytes.AsSpan(0, values.Length * type.Size);
        _readers[source](first * type.Size, bytes);
        FloatConversion.Widen(type, bytes, values, buffers.Singles.AsSpan(0, values.Length));
    }
}

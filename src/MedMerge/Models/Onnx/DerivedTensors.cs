using System.Runtime.InteropServices;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Onnx;

/// <summary>Tensors that are computed from those of an ONNX file when they are read, in float32.</summary>
internal static class DerivedTensors
{
    private const string Type = "F32";

    /// <summary>[length] of one value.</summary>
    public static StoredTensor Fill(int length, double value)
    {
        var values = new float[length];
        Array.Fill(values, (float)value);
        return Create([length], () => values);
    }

    /// <summary>A matrix with rows and columns exchanged; anything else as it is.</summary>
    public static StoredTensor Transpose(StoredTensor matrix) => matrix.Shape is [var rows, var columns]
        ? Compute(matrix, [columns, rows], values => values.t())
        : matrix;

    /// <summary>A tensor with a number added to every value.</summary>
    public static StoredTensor Shift(StoredTensor tensor, double by) => Compute(tensor, tensor.Shape, values => values.Plus(by));

    private static StoredTensor Compute(StoredTensor tensor, IReadOnlyList<long> shape, Func<Tensor, Tensor> compute)
    {
        if (!tensor.IsFloat) return tensor;
        return Create(shape, () =>
        {
            using var scope = NewDisposeScope();
            using var values = tensor.Read();
            return compute(values.to(ScalarType.Float64)).to(ScalarType.Float32).contiguous().data<float>().ToArray();
        });
    }

    private static StoredTensor Create(IReadOnlyList<long> shape, Func<float[]> compute) => new("", Type, shape, () =>
    {
        var values = compute();
        return (offset, buffer) => MemoryMarshal.AsBytes<float>(values).Slice((int)offset, buffer.Length).CopyTo(buffer);
    });
}

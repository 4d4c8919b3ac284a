using System.Runtime.InteropServices;
using MedMerge.Tensors;

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
        ? Compute(matrix, [columns, rows], values => TransposeValues(values, (int)rows, (int)columns))
        : matrix;

    /// <summary>A tensor with a number added to every value.</summary>
    public static StoredTensor Shift(StoredTensor tensor, double by) =>
        Compute(tensor, tensor.Shape, values => Array.ConvertAll(values, value => value + by));

    private static StoredTensor Compute(StoredTensor tensor, IReadOnlyList<long> shape, Func<double[], double[]> compute)
    {
        if (!tensor.IsFloat) return tensor;
        return Create(shape, () => FilterArithmetic.Round(compute(tensor.ReadDoubles())));
    }

    private static double[] TransposeValues(double[] values, int rows, int columns)
    {
        var transposed = new double[values.Length];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) transposed[(column * rows) + row] = values[(row * columns) + column];
        return transposed;
    }

    private static StoredTensor Create(IReadOnlyList<long> shape, Func<float[]> compute) => new("", Type, shape, () =>
    {
        var values = compute();
        return (offset, buffer) => MemoryMarshal.AsBytes<float>(values).Slice((int)offset, buffer.Length).CopyTo(buffer);
    });
}

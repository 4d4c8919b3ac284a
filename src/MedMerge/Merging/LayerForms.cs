using System.Runtime.InteropServices;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>A layer's forms, with batch norm, folded and split, as libtorch's tensors; <see cref="Layer"/> has the arithmetic.</summary>
internal static class LayerForms
{
    /// <summary>The form that is merged, folded or split, as <see cref="Layer.Split"/> gives it.</summary>
    /// <inheritdoc cref="Layer.ToAffine" path="/param" />
    public static (double[] Scale, double[] Shift, double[]? Gamma) Prepare(
        Layer layer,
        BatchNormPolicy batchNorm,
        Func<string, float[]> tensors)
    {
        if (batchNorm == BatchNormPolicy.Mix) return layer.Split(tensors);
        var (scale, shift) = layer.ToAffine(tensors);
        return (scale, shift, null);
    }

    /// <summary>The same of a model, float32. Folded, it computes what the model computes in evaluation mode.</summary>
    public static (Tensor Kernel, Tensor Bias, Tensor? Gamma) Prepare(Layer layer, BatchNormPolicy batchNorm, StateDict model)
    {
        var (scale, shift, gamma) = Prepare(layer, batchNorm, name => PlainTensor.Of(model[name]).Values);
        var kernel = layer.Weight is null ? ToTensor(scale) : ScaleFilters(model[layer.Weight], scale);
        return (kernel, ToTensor(shift), gamma is null ? null : ToTensor(gamma));
    }

    /// <summary>Adds the form with batch norm that computes what a kernel and a bias (both float32, on the CPU) compute.</summary>
    /// <param name="statistics">
    /// Has what <see cref="Layer.Restore"/> needs. If it has <see cref="Layer.Norms"/> too, the kernels are scaled to them.
    /// </param>
    public static void Restore(Layer layer, StateDict model, Tensor kernel, Tensor bias, StateDict statistics) =>
        Add(layer, model, kernel, statistics, (scale, find) => layer.Restore(scale, PlainTensor.Of(bias).Values, find));

    /// <summary>Adds the form with batch norm that a split form (all float32, on the CPU) comes from.</summary>
    /// <param name="statistics">As <see cref="Restore"/> takes it.</param>
    public static void Join(Layer layer, StateDict model, Tensor kernel, Tensor bias, Tensor? gamma, StateDict statistics) => Add(
        layer,
        model,
        kernel,
        statistics,
        (scale, find) => layer.Join(scale, PlainTensor.Of(bias).Values, gamma is null ? null : PlainTensor.Of(gamma).Values, find));

    private static void Add(
        Layer layer,
        StateDict model,
        Tensor kernel,
        StateDict statistics,
        Func<double[], Func<string, float[]>, Dictionary<string, float[]>> restore)
    {
        float[] Find(string name) => PlainTensor.Of(statistics[name]).Values;
        var scale = new double[layer.Out];
        Array.Fill(scale, 1);
        if (layer.Weight is null) scale = FilterArithmetic.Widen(PlainTensor.Of(kernel).Values);
        else if (layer.HasNorms && statistics.Contains(layer.Norms)) scale = ScaleTo(Find(layer.Norms), kernel);
        var restored = restore(scale, Find);
        foreach (var (name, _) in layer.Tensors)
            model.Add(name, name == layer.Weight ? ScaleFilters(kernel, scale) : tensor(restored[name]));
        if (layer.Norm is { } norm) model.Add(norm.BatchesTracked, zeros([], ScalarType.Int64));
    }

    /// <summary>The norms of the kernels in front of a batch norm, [out], float32; null where there are none.</summary>
    public static Tensor? MeasureNorms(Layer layer, StateDict model)
    {
        if (!layer.HasNorms) return null;
        var kernel = model[layer.Weight!];
        return ToTensor([.. Enumerable.Range(0, layer.Out).Select(filter => FilterArithmetic.Norm(Filter(kernel, filter)))]);
    }

    private static double[] ScaleTo(float[] norms, Tensor kernel) =>
        [.. norms.Select((norm, filter) => Layer.ScaleTo(norm, Filter(kernel, filter)))];

    private static Tensor ScaleFilters(Tensor kernel, double[] scale)
    {
        var scaled = empty(kernel.shape, ScalarType.Float32);
        for (var filter = 0; filter < scale.Length; filter++)
            FilterArithmetic.Scale(Filter(kernel, filter), scale[filter], Filter(scaled, filter));
        return scaled;
    }

    private static Tensor ToTensor(double[] values) => tensor(FilterArithmetic.Round(values));

    private static Span<float> Filter(Tensor kernel, int filter)
    {
        var values = MemoryMarshal.Cast<byte, float>(kernel.bytes);
        var length = values.Length / (int)kernel.shape[0];
        return values.Slice(filter * length, length);
    }
}

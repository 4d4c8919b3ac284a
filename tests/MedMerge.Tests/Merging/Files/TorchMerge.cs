using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging.Files;

/// <summary>A merge by kernel weights in libtorch's float64 arithmetic, tensor by tensor, as the formulas have it.</summary>
internal static class TorchMerge
{
    /// <param name="sources">Models under the architecture's names, one for each of the kernel weights' sources.</param>
    public static StateDict Merge(LearnedKernelWeights learned, IReadOnlyList<StateDict> sources)
    {
        using var scope = NewDisposeScope();
        var architecture = learned.Architecture;
        var prepared = sources.Zip(learned.Sources, (model, source) => Prepare(architecture.Layers, model, source.Order)).ToList();
        var target = learned.TargetTensors.ToDictionary(
            pair => pair.Key,
            pair => tensor(pair.Value.Values).view([.. pair.Value.Shape]).to(ScalarType.Float64));
        var merged = new StateDict();
        for (var l = 0; l < architecture.Layers.Count; l++)
        {
            var layer = architecture.Layers[l];
            var kernel = Fold(prepared.Select(source => source.Kernel(layer)), i => learned.Alpha.Row(i, l).ToArray());
            var bias = Fold(prepared.Select(source => source.Bias(layer)), i => learned.Alpha.FilterRow(i, l));
            Restore(layer, merged, kernel, bias, target);
        }
        foreach (var name in new[] { architecture.Classifier + ".weight", architecture.Classifier + ".bias" })
            merged.Add(name, ToSingle(target[name]));
        return merged;
    }

    private static PreparedSource Prepare(IReadOnlyList<Layer> layers, StateDict model, ChannelOrder? order)
    {
        var prepared = new StateDict();
        foreach (var layer in layers)
        {
            Tensor Load(string name) => model[name].to(ScalarType.Float64);
            var scale = ones(layer.Out, ScalarType.Float64);
            var shift = layer is Linear ? Load(layer.Name + ".bias") : zeros(layer.Out, ScalarType.Float64);
            if (layer.Norm is { } norm)
            {
                scale = Load(norm.Scale) / Load(norm.Variance).Plus(BatchNorm.Epsilon).sqrt();
                shift = Load(norm.Shift) - (scale * Load(norm.Mean));
                if (layer is Convolution { HasBias: true }) shift = shift.Plus(scale * Load(layer.Name + ".bias"));
            }
            var kernel = layer.Weight is null ? scale : Load(layer.Weight) * Broadcast(scale, layer.Shape.Length);
            prepared.Add(layer.Name + ".weight", ToSingle(kernel));
            prepared.Add(layer.Name + ".bias", ToSingle(shift));
        }
        var source = new PreparedSource("", prepared);
        return order is null ? source : order.Apply(source);
    }

    private static Tensor Fold(IEnumerable<Tensor> parts, Func<int, double[]> weigh)
    {
        Tensor? sum = null;
        foreach (var (i, part) in parts.Index())
        {
            var weights = tensor(weigh(i));
            var values = part.to(ScalarType.Float64).view(weights.shape[0], -1);
            sum = (sum ?? zeros_like(values)).Plus(values * weights.view(-1, 1));
        }
        return ToSingle(sum!);
    }

    private static void Restore(Layer layer, StateDict merged, Tensor kernel, Tensor bias, Dictionary<string, Tensor> target)
    {
        kernel = kernel.view(layer.Shape);
        bias = bias.view(-1);
        if (layer.Norm is not { } norm)
        {
            merged.Add(layer.Weight!, kernel);
            if (layer is Linear) merged.Add(layer.Name + ".bias", bias);
            return;
        }
        var (mean, variance) = (target[norm.Mean], target[norm.Variance]);
        var scale = kernel.to(ScalarType.Float64);
        if (layer.Weight is not null)
        {
            var factor = ones(layer.Out, ScalarType.Float64);
            if (target.TryGetValue(layer.Norms, out var norms))
            {
                var own = scale.Squared().view(layer.Out, -1).sum(1).sqrt();
                factor = norms / own;
                factor = factor.where(factor.ge(tensor(1e-3)) & factor.le(tensor(1e3)), ones_like(factor));
                (mean, variance) = (ToSingle(mean * factor), ToSingle(variance * factor.Squared()));
            }
            merged.Add(layer.Weight, ToSingle(scale * Broadcast(factor, layer.Shape.Length)));
            scale = factor.reciprocal();
            if (layer is Convolution { HasBias: true }) merged.Add(layer.Name + ".bias", zeros(layer.Out));
        }
        var gamma = scale * variance.to(ScalarType.Float64).Plus(BatchNorm.Epsilon).sqrt();
        var beta = bias.to(ScalarType.Float64).Plus(scale * mean.to(ScalarType.Float64));
        foreach (var (name, value) in new[] { (norm.Scale, gamma), (norm.Shift, beta), (norm.Mean, mean), (norm.Variance, variance) })
            merged.Add(name, ToSingle(target.GetValueOrDefault("rescaled." + name) ?? value));
        merged.Add(norm.BatchesTracked, zeros([], ScalarType.Int64));
    }

    private static Tensor ToSingle(Tensor values) => values.to(ScalarType.Float32);

    private static Tensor Broadcast(Tensor ofFilters, int dimensions) =>
        ofFilters.view([-1, .. Enumerable.Repeat(1L, dimensions - 1)]);
}

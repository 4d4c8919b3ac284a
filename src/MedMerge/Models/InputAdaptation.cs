using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>
/// Brings a model to images that are normalised in another way than those it was trained on: its first layer takes the difference, so that
/// it computes of the new input what it computed of the old. With x the new input, the old was ax + b in each channel, with
/// a = d'/d and b = (m' − m)/d. It is exact but for pixels at the edge, whose neighbours beyond it are zeros before as after.
/// </summary>
internal static class InputAdaptation
{
    /// <summary>A copy of the model that takes other input.</summary>
    /// <param name="model">Under the architecture's names.</param>
    /// <param name="from">What it was trained on.</param>
    /// <param name="to">What it is to take.</param>
    public static StateDict Adapt(Architecture architecture, StateDict model, InputNormalisation from, InputNormalisation to)
    {
        using var scope = NewDisposeScope();
        var factor = to.Deviation.Zip(from.Deviation, (target, source) => target / source);
        var offset = to.Mean.Zip(from.Mean, (target, source) => target - source).Zip(from.Deviation, (shift, source) => shift / source);
        var changed = architecture.Layers[0].AdaptInput(model, tensor(factor.ToArray()), tensor(offset.ToArray()));
        var adapted = new StateDict();
        foreach (var (name, tensor) in model)
            adapted.Add(name, changed.TryGetValue(name, out var other) ? other.to(tensor.dtype) : tensor.clone());
        return adapted;
    }
}

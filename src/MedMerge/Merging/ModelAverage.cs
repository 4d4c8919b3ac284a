using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>Weighted sums of whole models of one architecture, batch norm and classifier included.</summary>
internal static class ModelAverage
{
    /// <summary>
    /// Σᵢ cᵢwᵢ for every tensor of floating-point numbers, running statistics included; summed in float64 and rounded to float32 once.
    /// Other tensors are the first model's.
    /// </summary>
    /// <param name="models">With the same names and shapes.</param>
    /// <param name="coefficients">One a model.</param>
    public static StateDict Combine(IReadOnlyList<StateDict> models, IReadOnlyList<double> coefficients)
    {
        var combined = new StateDict();
        foreach (var (name, first) in models[0])
        {
            using var scope = NewDisposeScope();
            if (!first.is_floating_point())
            {
                combined.Add(name, first.clone());
                continue;
            }
            var sum = zeros_like(first, ScalarType.Float64);
            foreach (var (model, coefficient) in models.Zip(coefficients)) sum.Add(model[name].to(ScalarType.Float64), coefficient);
            combined.Add(name, sum.to(ScalarType.Float32));
        }
        return combined;
    }
}

using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

/// <summary>Models with nothing at a round value, so that a forgotten term shows.</summary>
internal static class RandomModels
{
    public static StateDict Weights(Architecture architecture, ulong seed, int classes)
    {
        var random = new RandomStream(seed, 99);
        using var scope = NewDisposeScope();
        using var plain = architecture.Initialise(seed, classes);
        var weights = new StateDict();
        foreach (var (name, tensor) in plain)
        {
            Tensor Uniform(double low, double high) => Shaped([.. Enumerable.Range(0, (int)tensor.numel()).Select(_ => (float)random.Between(low, high))], tensor.shape);
            weights.Add(name, name switch
            {
                _ when name.EndsWith("running_mean", StringComparison.Ordinal) => Uniform(-0.3, 0.3),
                _ when name.EndsWith("running_var", StringComparison.Ordinal) => Uniform(0.5, 2),
                _ when name.StartsWith(architecture.Classifier, StringComparison.Ordinal) => Uniform(-0.1, 0.1),
                _ when tensor.dim() == 1 => Uniform(0.2, 1.2),
                _ => tensor.clone(),
            });
        }
        return weights;
    }

    public static List<PreparedSource> Prepared(Architecture architecture, int count)
    {
        var sources = new List<PreparedSource>();
        for (var i = 0; i < count; i++)
        {
            using var weights = Weights(architecture, (ulong)i + 20, 2);
            sources.Add(PreparedSource.Fold($"source{i}", architecture, weights));
        }
        return sources;
    }

    public static Head Head(Architecture architecture, int classes)
    {
        var random = new RandomStream(42);
        return new Head([.. Enumerable.Range(0, classes * architecture.Features).Select(_ => 0.2 * random.NextNormal())],
            [.. Enumerable.Range(0, classes).Select(_ => 0.1 * random.NextNormal())]);
    }

    private static Tensor Shaped(float[] values, long[] shape) => tensor(values).view(shape);
}

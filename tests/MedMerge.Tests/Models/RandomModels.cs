using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

/// <summary>Models with nothing at a round value, so that a forgotten term shows.</summary>
internal static class RandomModels
{
    private const int SmallSide = 28; // MedMNIST's

    /// <summary>A few small images that the architecture takes.</summary>
    public static ImageDataset TargetFor(Architecture architecture) =>
        Phantoms.Create("lesions", Math.Max(SmallSide, architecture.MinSide), train: 32, validation: 16, test: 16);

    public static StateDict Weights(Architecture architecture, ulong seed, int classes)
    {
        var random = new RandomStream(seed, 99);
        using var scope = NewDisposeScope();
        using var plain = architecture.Initialise(seed, classes);
        var weights = new StateDict();
        foreach (var (name, tensor) in plain)
        {
            Tensor Uniform(double low, double high)
            {
                var values = new float[tensor.numel()];
                for (var i = 0; i < values.Length; i++) values[i] = (float)random.Between(low, high);
                return Shaped(values, tensor.shape);
            }
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

    /// <summary>A source model as it is stored.</summary>
    public static StateDict Source(Architecture architecture, int index) => Weights(architecture, (ulong)index + 20, classes: 2);

    public static List<PreparedSource> Prepared(
        Architecture architecture,
        int count,
        BatchNormPolicy batchNorm = BatchNormPolicy.Fold)
    {
        var sources = new List<PreparedSource>();
        for (var i = 0; i < count; i++)
        {
            using var weights = Source(architecture, i);
            sources.Add(PreparedSource.Prepare($"source{i}", architecture, weights, batchNorm));
        }
        return sources;
    }

    public static Head Head(Architecture architecture, int classes)
    {
        var random = new RandomStream(42);
        var weight = Enumerable.Range(0, classes * architecture.Features).Select(_ => 0.2 * random.NextNormal()).ToArray();
        var bias = Enumerable.Range(0, classes).Select(_ => 0.1 * random.NextNormal()).ToArray();
        return new Head(weight, bias);
    }

    /// <summary>Normal numbers, for logits.</summary>
    /// <param name="layout">One a filter where it is left out.</param>
    public static KernelWeightMatrix KernelWeights(
        Architecture architecture,
        int sources,
        RandomStream random,
        KernelWeightLayout? layout = null)
    {
        var values = new double[sources * (layout?.Count ?? architecture.Filters)];
        for (var i = 0; i < values.Length; i++) values[i] = random.NextNormal();
        return new KernelWeightMatrix(architecture, sources, values);
    }

    /// <summary>A model as a file that has it under a prefix.</summary>
    public static ModelFile WriteAndRead(StateDict model, string prefix)
    {
        using var prefixed = new StateDict();
        foreach (var (name, tensor) in model) prefixed.Add(prefix + name, tensor.clone());
        return ModelFile.Read(Safetensors.Write(prefixed), "a file");
    }

    /// <summary>α from logits.</summary>
    public static KernelWeightMatrix Softmax(KernelWeightMatrix theta) =>
        theta.With(MedMerge.Merging.KernelWeights.Softmax(theta.Values, theta.Sources));

    /// <summary>α under which the anchor has a share and the others the rest equally.</summary>
    public static KernelWeightMatrix Anchored(Architecture architecture, int sources, int anchor, double anchorWeight)
    {
        var map = new KernelWeightMap(architecture, sources, new KernelWeightSettings());
        return map.ToAlpha(map.Start(anchor, anchorWeight));
    }

    private static Tensor Shaped(float[] values, long[] shape) => tensor(values).view(shape);
}

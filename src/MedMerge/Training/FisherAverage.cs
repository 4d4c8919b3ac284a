using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// The Fisher-weighted average (Matena and Raffel 2022): every parameter is the models' mean, weighted by how much each model's answers
/// depend on it: Fᵢ = mean over images of (∂ log p(y)/∂w)², with the label y drawn from the model's own answer. Device thread only.
/// </summary>
internal static class FisherAverage
{
    /// <summary>Images that Fᵢ is measured on, at most: one backward pass each.</summary>
    public const int MaxImages = 256;

    /// <summary>Added to every Fᵢ, as in the paper, so that parameters that no answer depends on get the plain mean.</summary>
    private const double MinFisher = 1e-6;

    /// <summary>The average of the parameters; all else is the first model's, batch norm statistics included.</summary>
    /// <param name="models">Under the architecture's names, with classifiers; not disposed.</param>
    /// <param name="seed">Draws the labels.</param>
    public static StateDict Combine(
        Architecture architecture,
        IReadOnlyList<StateDict> models,
        ImageDataset target,
        ulong seed,
        BatchLoader loader,
        Device device,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var merged = new BatchNormNetwork(architecture, models[0], device);
        var weighted = zeros_like(merged.ParameterValues, ScalarType.Float64);
        var total = zeros_like(weighted);
        for (var i = 0; i < models.Count; i++)
        {
            using var modelScope = NewDisposeScope();
            using var network = new BatchNormNetwork(architecture, models[i], device);
            var random = new RandomStream(seed, StreamKeys.Fisher, (ulong)i);
            var fisher = Measure(network, target.Train, random, loader, cancellation).Plus(MinFisher);
            weighted.Add(fisher * network.ParameterValues.to(ScalarType.Float64));
            total.Add(fisher);
        }
        using var inference = no_grad();
        merged.ParameterValues.copy_(weighted / total);
        return merged.Snapshot();
    }

    /// <summary>Fᵢ of every parameter, float64.</summary>
    private static Tensor Measure(
        BatchNormNetwork network,
        ImageSplit images,
        RandomStream random,
        BatchLoader loader,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var count = Math.Min(images.Count, MaxImages);
        var sum = zeros_like(network.ParameterValues, ScalarType.Float64);
        foreach (var parameter in network.Parameters) parameter.requires_grad_();
        foreach (var image in random.Permutation(images.Count).Take(count))
        {
            DeviceThread.Yield(cancellation);
            using var imageScope = NewDisposeScope();
            var logits = network.Forward(loader.Load(images, [image]), training: false);
            var likelihood = loader.IsMultiLabel ? DrawLabels(logits, random) : DrawClass(logits.log_softmax(1), random);
            var gradients = autograd.grad([likelihood], network.Parameters).Select(part => part.reshape(-1)).ToArray();
            sum.Add(cat(gradients, 0).to(ScalarType.Float64).Squared());
        }
        foreach (var parameter in network.Parameters) parameter.requires_grad_(false);
        return sum.Over(count).MoveToOuterDisposeScope();
    }

    /// <summary>Draws a class by its probability.</summary>
    /// <param name="answers">Logarithms of the classes' probabilities, [1, classes].</param>
    /// <returns>The logarithm of its probability, a scalar.</returns>
    private static Tensor DrawClass(Tensor answers, RandomStream random)
    {
        var probabilities = answers.detach().to(ScalarType.Float64).exp().cpu().contiguous().data<double>().ToArray();
        var left = random.NextDouble() * probabilities.Sum();
        var label = 0;
        while (label < probabilities.Length - 1 && left >= probabilities[label]) left -= probabilities[label++];
        return answers[0, label];
    }

    /// <summary>Draws for each label whether the image has it.</summary>
    /// <param name="logits">[1, labels].</param>
    /// <returns>The logarithm of the probability of what was drawn, a scalar.</returns>
    private static Tensor DrawLabels(Tensor logits, RandomStream random)
    {
        var probabilities = logits.detach().to(ScalarType.Float64).sigmoid().cpu().contiguous().data<double>().ToArray();
        float[] signs = [.. probabilities.Select(probability => random.NextDouble() < probability ? 1f : -1f)];
        return nn.functional.logsigmoid(logits * Transfers.ToDevice(signs, logits.device).unsqueeze(0)).sum();
    }
}

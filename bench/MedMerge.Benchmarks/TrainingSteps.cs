using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Benchmarks;

/// <summary>
/// One step of training a network and of learning how to merge sources of its architecture, at full width, from random weights.
/// </summary>
internal sealed class TrainingSteps : IDisposable
{
    private readonly ImageDataset _target;
    private readonly Architecture _architecture;
    private readonly BatchNormNetwork _network;
    private readonly AdamW _optimiser;
    private readonly KernelWeightGradientComputer _computer;
    private readonly SourceStack? _stack;
    private readonly BatchLoader _loader;
    private readonly KernelWeightStep _step;
    private readonly int[] _batch;

    /// <param name="sources">How many are weighed; the plain step has none.</param>
    /// <param name="side">The images' height and width in pixels.</param>
    /// <param name="hasNaive">Whether <see cref="Naive"/> is called, which takes the sources' kernels a second time.</param>
    public TrainingSteps(string network, int sources, int side, int batchSize, bool hasNaive)
    {
        _target = Phantoms.Create("lesions", side, train: batchSize, validation: 4, test: 4);
        _batch = [.. Enumerable.Range(0, batchSize)];
        _architecture = Architectures.Create(network);
        using var start = _architecture.Initialise(99, _target.Classes);
        _network = new BatchNormNetwork(_architecture, start, CPU);
        foreach (var parameter in _network.Parameters) parameter.requires_grad_();
        _optimiser = new AdamW(_network.ParameterValues, 0.01);
        _loader = new BatchLoader(_target, CPU);
        var settings = new KernelWeightSettings { BatchSize = batchSize };
        var prepared = RandomModels.Prepared(_architecture, sources);
        _computer = new KernelWeightGradientComputer(_architecture, prepared, _target, settings, seed: 0, CPU);
        _stack = hasNaive ? new SourceStack(_architecture, prepared, CPU) : null;
        prepared.ForEach(source => source.Dispose());
        var map = new KernelWeightMap(_architecture, sources, settings);
        var head = new Head(new double[_target.Classes * _architecture.Features], new double[_target.Classes]);
        _step = new KernelWeightStep(1, 0, map.ToAlpha(map.Start(anchor: 0, 0.9)), head);
    }

    /// <summary>Forward, backward and AdamW over all parameters of the network with batch norm.</summary>
    public double Plain()
    {
        using var scope = NewDisposeScope();
        var logits = _network.Forward(_loader.Load(_target.Train, _batch), training: true);
        var loss = nn.functional.cross_entropy(logits, _loader.Labels(_target.Train, _batch));
        _optimiser.Step(autograd.grad([loss], _network.Parameters), 0.001);
        return loss.item<float>();
    }

    /// <summary>What a shard does: fold, one forward and one backward pass, the gradient of α.</summary>
    public double Folded() => _computer.Gradient(0, _step).Loss;

    /// <summary>The method as written: every source's feature maps, α by autograd.</summary>
    public double Naive()
    {
        using var scope = NewDisposeScope();
        var alphas = _stack!.Split(_step.Alpha);
        foreach (var alpha in alphas) alpha.requires_grad_();
        var weight = zeros(_target.Classes, _architecture.Features).requires_grad_();
        var images = _loader.Load(_target.Train, _batch);
        var features = _architecture.Forward(images, (l, input) => _stack.WeightedFeatures(l, input, alphas[l]));
        var logits = nn.functional.linear(features, weight);
        var loss = nn.functional.cross_entropy(logits, _loader.Labels(_target.Train, _batch), reduction: nn.Reduction.Sum);
        autograd.grad([loss], [.. alphas, weight]);
        return loss.item<float>();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _optimiser.Dispose();
        _network.Dispose();
        _computer.Dispose();
        _stack?.Dispose();
        _loader.Dispose();
    }
}

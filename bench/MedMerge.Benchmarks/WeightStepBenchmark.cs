using BenchmarkDotNet.Attributes;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Benchmarks;

/// <summary>
/// One step of weight learning at batch 64 with 2, 4 and 8 sources, beside a plain training step of the same network and beside the naive
/// form that computes every source's feature maps. The goal: at 8 sources at most 1.25 times the plain step.
/// </summary>
[MemoryDiagnoser(false)]
public class WeightStepBenchmark
{
    private const int BatchSize = 64;
    private static readonly ImageDataset Target = Phantoms.Create("lesions", train: BatchSize, validation: 4, test: 4);

    private Architecture _architecture = null!;
    private BatchNormNetwork _network = null!;
    private AdamW _optimiser = null!;
    private KernelWeightGradientComputer _computer = null!;
    private SourceStack _stack = null!;
    private BatchLoader _loader = null!;
    private KernelWeightStep _step = null!;

    /// <summary>ResNet-20 and ResNet-18 with the 3×3 stem, at 28 pixels.</summary>
    [Params("resnet20", "resnet18-3x3")]
    public string Network { get; set; } = "";

    /// <summary>How many sources are weighed; the plain step has no sources.</summary>
    [Params(2, 4, 8)]
    public int Sources { get; set; }

    /// <summary>Builds models and data.</summary>
    [GlobalSetup]
    public void Setup()
    {
        TorchRuntime.Start();
        torch.set_num_threads(Environment.ProcessorCount);
        _architecture = Architectures.Create(Network);
        var sources = new List<PreparedSource>();
        for (var i = 0; i < Sources; i++)
        {
            using var weights = _architecture.Initialise((ulong)i, Target.Classes);
            sources.Add(PreparedSource.Prepare($"source{i}", _architecture, weights));
        }
        using var start = _architecture.Initialise(99, Target.Classes);
        _network = new BatchNormNetwork(_architecture, start, CPU);
        foreach (var parameter in _network.Parameters) parameter.requires_grad_();
        _optimiser = new AdamW(_network.ParameterValues, 0.01);
        var settings = new KernelWeightSettings { BatchSize = BatchSize };
        _computer = new KernelWeightGradientComputer(_architecture, sources, Target, settings, seed: 0, CPU);
        _stack = new SourceStack(_architecture, sources, CPU);
        _loader = new BatchLoader(Target, CPU);
        var map = new KernelWeightMap(_architecture, Sources, settings);
        var alpha = map.ToAlpha(map.Start(anchor: 0, 0.9));
        var head = new Head(new double[Target.Classes * _architecture.Features], new double[Target.Classes]);
        _step = new KernelWeightStep(1, 0, alpha, head);
        sources.ForEach(source => source.Dispose());
    }

    /// <summary>Forward, backward and AdamW over all parameters of the network with batch norm.</summary>
    [Benchmark(Baseline = true, Description = "plain training step")]
    public double Plain()
    {
        using var scope = NewDisposeScope();
        var indices = Enumerable.Range(0, BatchSize).ToArray();
        var logits = _network.Forward(_loader.Load(Target.Train, indices), training: true);
        var loss = nn.functional.cross_entropy(logits, _loader.Labels(Target.Train, indices));
        _optimiser.Step(autograd.grad([loss], _network.Parameters), 0.001);
        return loss.item<float>();
    }

    /// <summary>What a shard does: fold, one forward and one backward pass, the gradient of α.</summary>
    [Benchmark(Description = "weight step (folded)")]
    public double Folded() => _computer.Gradient(0, _step).Loss;

    /// <summary>The method as written: every source's feature maps, α by autograd.</summary>
    [Benchmark(Description = "weight step (naive)")]
    public double Naive()
    {
        using var scope = NewDisposeScope();
        var indices = Enumerable.Range(0, BatchSize).ToArray();
        var alphas = _stack.Split(_step.Alpha);
        foreach (var alpha in alphas) alpha.requires_grad_();
        var weight = zeros(Target.Classes, _architecture.Features).requires_grad_();
        var images = _loader.Load(Target.Train, indices);
        var features = _architecture.Forward(images, (l, input) => _stack.WeightedFeatures(l, input, alphas[l]));
        var logits = nn.functional.linear(features, weight);
        var loss = nn.functional.cross_entropy(logits, _loader.Labels(Target.Train, indices), reduction: nn.Reduction.Sum);
        autograd.grad([loss], [.. alphas, weight]);
        return loss.item<float>();
    }

    /// <summary>Frees everything native.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _optimiser.Dispose();
        _network.Dispose();
        _computer.Dispose();
        _stack.Dispose();
        _loader.Dispose();
    }
}

using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Statistics;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// The device's side of weight learning: one forward and one backward pass through the folded network, whatever the number of sources.
/// Device thread only.
/// </summary>
public sealed class KernelWeightGradientComputer : IShardComputer<KernelWeightStep, KernelWeightGradient>
{
    private readonly Architecture _architecture;
    private readonly SourceStack _sources;
    private readonly ImageDataset _target;
    private readonly BatchLoader _loader;
    private readonly ShardPlan _plan;
    private readonly KernelWeightSettings _settings;
    private readonly Device _device;
    private readonly ScalarType _type;
    private readonly ulong _seed;

    /// <param name="type">float32, or float64 in tests of the numerics.</param>
    /// <param name="memoryLimit">As <see cref="SourceStack"/> takes it.</param>
    public KernelWeightGradientComputer(
        Architecture architecture,
        IReadOnlyList<PreparedSource> sources,
        ImageDataset target,
        KernelWeightSettings settings,
        ulong seed,
        Device device,
        ScalarType type = ScalarType.Float32,
        long? memoryLimit = null)
    {
        _architecture = architecture;
        _target = target;
        _settings = settings;
        _seed = seed;
        _device = device;
        _type = type;
        _plan = new ShardPlan(target.Train.Count, settings.Shards, settings.BatchSize, seed);
        _sources = new SourceStack(architecture, sources, device, type, memoryLimit);
        _loader = new BatchLoader(target, device, type);
    }

    /// <inheritdoc />
    public int StepsPerEpoch => _plan.StepsPerEpoch;

    /// <inheritdoc />
    public KernelWeightGradient Gradient(int shard, KernelWeightStep step)
    {
        var indices = _plan.Batch(step.Epoch, step.Step, shard);
        if (indices.Length == 0)
        {
            return new KernelWeightGradient(step.Epoch, step.Step, shard, 0, 0,
                new double[step.Alpha.Length], new double[step.Head.Weight.Length], new double[step.Head.Bias.Length]);
        }
        using var scope = NewDisposeScope();
        var images = _loader.LoadTraining(indices, _settings.Augmentation, _seed, step.Epoch);
        var labels = _loader.Labels(_target.Train, indices);

        var (kernels, biases) = _sources.Fold(_sources.Split(step.Alpha));
        var (headWeight, headBias) = ToTensors(step.Head);
        Tensor[] leaves = [.. kernels, .. biases, headWeight, headBias];
        foreach (var leaf in leaves) leaf.requires_grad_();

        var features = new FoldedNetwork(_architecture, kernels, biases).Features(images);
        var loss = nn.functional.cross_entropy(nn.functional.linear(features, headWeight, headBias), labels, reduction: nn.Reduction.Sum);
        var gradients = autograd.grad([loss], leaves).ToArray();

        return new KernelWeightGradient(step.Epoch, step.Step, shard, indices.Length, loss.to(ScalarType.Float64).item<double>(),
            _sources.AlphaGradient(gradients[..kernels.Length], gradients[kernels.Length..^2]), Doubles(gradients[^2]), Doubles(gradients[^1]));
    }

    /// <inheritdoc />
    public Validation Validate(KernelWeightStep candidate, CancellationToken cancellation) =>
        Scoring.Validate(Predict(candidate.Alpha, candidate.Head, _target.Validation, cancellation));

    /// <summary>The folded network's class probabilities on a split.</summary>
    public Predictions Predict(double[] alpha, Head head, ImageSplit split, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var (headWeight, headBias) = ToTensors(head);
        var network = Network(alpha);
        return Scoring.Predict(images => nn.functional.linear(network.Features(images), headWeight, headBias), split, head.Classes, _loader, cancellation);
    }

    /// <summary>The regularised head that fits the folded network's features on the training images best.</summary>
    public Head Probe(double[] alpha, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var features = Scoring.Features(Network(alpha).Features, _target.Train, _loader, cancellation);
        return LinearProbe.Fit(features, _target.Train.Labels, _target.Classes, _settings.HeadDecay, cancellation);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _sources.Dispose();
        _loader.Dispose();
    }

    private FoldedNetwork Network(double[] alpha)
    {
        var (kernels, biases) = _sources.Fold(_sources.Split(alpha));
        return new FoldedNetwork(_architecture, kernels, biases);
    }

    private (Tensor Weight, Tensor Bias) ToTensors(Head head) =>
        (tensor(head.Weight, device: _device).view(head.Classes, _architecture.Features).to(_type), tensor(head.Bias, device: _device).to(_type));

    private static double[] Doubles(Tensor tensor) => tensor.to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
}

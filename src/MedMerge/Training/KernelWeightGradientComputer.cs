using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// The device's side of weight learning: one forward and one backward pass through the folded network, whatever the number of sources.
/// Where batch norms are mixed they normalise by the batch in a step, and by the statistics of the training images everywhere else. Device
/// thread only.
/// </summary>
internal sealed class KernelWeightGradientComputer : IShardComputer<KernelWeightStep, KernelWeightGradient>
{
    private readonly Architecture _architecture;
    private readonly SourceStack _sources;
    private readonly ImageDataset _target;
    private readonly BatchLoader _loader;
    private readonly ClassificationLoss _objective;
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
        _plan = settings.PlanFor(target.Train, seed);
        _sources = new SourceStack(architecture, sources, device, type, memoryLimit);
        _loader = new BatchLoader(target, device, type);
        _objective = new ClassificationLoss(settings.Imbalance, target, device, type);
    }

    /// <inheritdoc />
    public int StepsPerEpoch => _plan.StepsPerEpoch;

    /// <inheritdoc />
    public KernelWeightGradient Gradient(int shard, KernelWeightStep step)
    {
        var indices = _plan.Batch(step.Epoch, step.Step, shard);
        if (indices.Length == 0)
        {
            return new KernelWeightGradient(
                step.Epoch,
                step.Step,
                shard,
                Images: 0,
                Loss: 0,
                step.Alpha.With(new double[step.Alpha.Values.Length]),
                new double[step.Head.Weight.Length],
                new double[step.Head.Bias.Length]);
        }
        using var scope = NewDisposeScope();
        var batch = _loader.LoadTraining(indices, _settings.Augmentation, _seed, step.Epoch);
        var (network, headWeight, headBias) = Bring(step.Alpha, step.Head);
        Tensor[] leaves = [.. network.Parameters, headWeight, headBias];
        foreach (var leaf in leaves) leaf.requires_grad_();

        var logits = nn.functional.linear(network.Features(batch.Images), headWeight, headBias);
        var loss = _objective.Sum(logits, batch.Labels, batch.Weights);
        var gradients = autograd.grad([loss], leaves).ToArray();

        Tensor[] parts =
        [
            loss.detach(),
            _sources.AlphaGradient(gradients[..^2], step.Alpha.Layout),
            gradients[^2],
            gradients[^1],
        ];
        // One transfer for all.
        var numbers = Transfers.ToHost<double>(cat([.. parts.Select(part => part.reshape(-1).to(ScalarType.Float64))], 0));
        var answer = numbers.AsSpan(1);
        var (alphas, weights) = (step.Alpha.Values.Length, step.Head.Weight.Length);
        return new KernelWeightGradient(
            step.Epoch,
            step.Step,
            shard,
            indices.Length,
            Loss: numbers[0],
            step.Alpha.With(answer[..alphas].ToArray()),
            HeadWeight: answer.Slice(alphas, weights).ToArray(),
            HeadBias: answer[(alphas + weights)..].ToArray());
    }

    /// <inheritdoc />
    public Validation Validate(KernelWeightStep candidate, CancellationToken cancellation) =>
        Scoring.Validate(Predict(candidate.Alpha, candidate.Head, _target.Validation, cancellation));

    /// <summary>The folded network's class probabilities on a split.</summary>
    public Predictions Predict(KernelWeightMatrix alpha, Head head, ImageSplit split, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var (weighed, headWeight, headBias) = Bring(alpha, head);
        var network = Fold(weighed, cancellation);
        Tensor Logits(Tensor images) => nn.functional.linear(network.Features(images), headWeight, headBias);
        return Scoring.Predict(Logits, split, head.Classes, _loader, cancellation);
    }

    /// <summary>The regularised head that fits the folded network's features on the training images best.</summary>
    public Head Probe(KernelWeightMatrix alpha, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var network = Fold(_sources.Fold(_sources.Split(alpha)), cancellation);
        var features = Scoring.Features(network.Features, _target.Train, _loader, cancellation);
        return LinearProbe.Fit(features, _target, _settings.HeadDecay, _settings.Imbalance, cancellation);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _sources.Dispose();
        _loader.Dispose();
        _objective.Dispose();
    }

    private FoldedNetwork Fold(WeighedNetwork network, CancellationToken cancellation)
    {
        if (network is not MixedNetwork mixed) return (FoldedNetwork)network;
        using var statistics = mixed.Estimate(_target, _loader, cancellation);
        return mixed.Fold(statistics, _type);
    }

    /// <summary>The network of a step with its classifier: one transfer for all.</summary>
    private (WeighedNetwork Network, Tensor HeadWeight, Tensor HeadBias) Bring(KernelWeightMatrix alpha, Head head)
    {
        var (alphas, weights) = (alpha.Values.Length, head.Weight.Length);
        var all = Transfers.ToDevice([.. alpha.Values, .. head.Weight, .. head.Bias], _device).to(_type);
        var network = _sources.Fold(_sources.Split(all.narrow(0, 0, alphas)));
        var headWeight = all.narrow(0, alphas, weights).view(head.Classes, _architecture.Features);
        return (network, headWeight, all.narrow(0, alphas + weights, head.Classes));
    }
}

using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>The device's side of data-parallel fine-tuning: one forward and one backward pass over a shard's images. Device thread only.</summary>
public sealed class FineTuneGradientComputer : IDisposable
{
    private readonly ImageDataset _target;
    private readonly FineTuneSettings _settings;
    private readonly ulong _seed;
    private readonly ShardPlan _plan;
    private readonly BatchLoader _loader;
    private readonly BatchNormNetwork _network;

    /// <param name="start">Under the architecture's names, with a classifier of the target's classes; copied. Its numbers are replaced at every step.</param>
    public FineTuneGradientComputer(Architecture architecture, StateDict start, ImageDataset target, FineTuneSettings settings, ulong seed, Device device)
    {
        (_target, _settings, _seed) = (target, settings, seed);
        _plan = settings.PlanFor(target.Train.Count, seed);
        _loader = new BatchLoader(target, device);
        _network = new BatchNormNetwork(architecture, start, device);
        foreach (var parameter in _network.Parameters) parameter.requires_grad_();
        Layout = new ParameterLayout(start);
    }

    /// <inheritdoc cref="IFineTuneWorkers.StepsPerEpoch" />
    public int StepsPerEpoch => _plan.StepsPerEpoch;

    /// <summary>How weights are lined up.</summary>
    public ParameterLayout Layout { get; }

    private IEnumerable<Tensor> All => _network.Parameters.Concat(_network.Statistics);

    /// <inheritdoc cref="IFineTuneWorkers.GradientAsync" />
    public FineTuneGradient Gradient(int shard, FineTuneStep step)
    {
        var indices = _plan.Batch(step.Epoch, step.Step, shard);
        if (indices.Length == 0) return new FineTuneGradient(step.Epoch, step.Step, shard, 0, 0, new float[Layout.Length]);
        using var scope = NewDisposeScope();
        ParameterLayout.CopyTo(step.Weights, All);
        var images = _loader.LoadTraining(indices, _settings.Augmentation, _seed, step.Epoch);
        var loss = nn.functional.cross_entropy(_network.Forward(images, training: true), _loader.Labels(_target.Train, indices), reduction: nn.Reduction.Sum);
        var gradients = autograd.grad([loss], _network.Parameters);
        return new FineTuneGradient(step.Epoch, step.Step, shard, indices.Length, loss.to(ScalarType.Float64).item<double>(), ParameterLayout.Flatten(gradients.Concat(_network.Statistics)));
    }

    /// <summary>Scores on the validation split.</summary>
    public Validation Validate(float[] weights, CancellationToken cancellation)
    {
        ParameterLayout.CopyTo(weights, All);
        return Scoring.Validate(Scoring.Predict(images => _network.Forward(images, training: false), _target.Validation, _target.Classes, _loader, cancellation));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _network.Dispose();
        _loader.Dispose();
    }
}

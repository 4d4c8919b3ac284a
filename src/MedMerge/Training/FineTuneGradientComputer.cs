using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// The device's side of data-parallel fine-tuning: one forward and one backward pass over a shard's images. Device thread only.
/// </summary>
internal sealed class FineTuneGradientComputer : IShardComputer<FineTuneStep, FineTuneGradient>
{
    private readonly ImageDataset _target;
    private readonly FineTuneSettings _settings;
    private readonly ulong _seed;
    private readonly ShardPlan _plan;
    private readonly BatchLoader _loader;
    private readonly ClassificationLoss _objective;
    private readonly BatchNormNetwork _network;

    /// <param name="start">
    /// Under the architecture's names, with a classifier of the target's classes; copied. Its values are replaced at every step.
    /// </param>
    public FineTuneGradientComputer(
        Architecture architecture,
        StateDict start,
        ImageDataset target,
        FineTuneSettings settings,
        ulong seed,
        Device device)
    {
        _target = target;
        _settings = settings;
        _seed = seed;
        _plan = settings.PlanFor(target.Train, seed);
        _loader = new BatchLoader(target, device);
        _objective = new ClassificationLoss(settings.Imbalance, target, device);
        _network = new BatchNormNetwork(architecture, start, device);
        foreach (var parameter in _network.Parameters) parameter.requires_grad_();
        Layout = new ParameterLayout(start);
    }

    /// <inheritdoc />
    public int StepsPerEpoch => _plan.StepsPerEpoch;

    /// <summary>The order of a step's values.</summary>
    public ParameterLayout Layout { get; }

    /// <inheritdoc />
    public FineTuneGradient Gradient(int shard, FineTuneStep step)
    {
        var indices = _plan.Batch(step.Epoch, step.Step, shard);
        if (indices.Length == 0)
            return new FineTuneGradient(step.Epoch, step.Step, shard, Images: 0, Loss: 0, new float[Layout.Length]);
        using var scope = NewDisposeScope();
        Load(step);
        var batch = _loader.LoadTraining(indices, _settings.Augmentation, _seed, step.Epoch);
        var logits = _network.Forward(batch.Images, training: true);
        var loss = _objective.Sum(logits, batch.Labels, batch.Weights);
        var gradients = autograd.grad([loss], _network.Parameters);
        var parts = gradients.Select(gradient => gradient.reshape(-1));
        var statistics = _network.Values.narrow(0, Layout.Parameters, Layout.Length - Layout.Parameters);
        // One transfer for all: the loss, the parameters' gradients, the running statistics.
        var answer = Transfers.ToHost<float>(cat([loss.detach().view(1), .. parts, statistics.detach()], 0));
        return new FineTuneGradient(step.Epoch, step.Step, shard, indices.Length, Loss: answer[0], answer[1..]);
    }

    /// <inheritdoc />
    public Validation Validate(FineTuneStep candidate, CancellationToken cancellation)
    {
        Load(candidate);
        Tensor Logits(Tensor images) => _network.Forward(images, training: false);
        return Scoring.Validate(Scoring.Predict(Logits, _target.Validation, _target.Classes, _loader, cancellation));
    }

    private void Load(FineTuneStep step)
    {
        // A copy of one value would be spread over all.
        if (step.Values.Length != Layout.Length)
            throw new ArgumentException($"A step has {step.Values.Length} values; the model has {Layout.Length}.", nameof(step));
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        _network.Values.copy_(Transfers.ToDevice(step.Values, _network.Values.device));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _network.Dispose();
        _loader.Dispose();
        _objective.Dispose();
    }
}

using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>How a whole model is trained: for fine-tuning, from scratch and for pretraining alike.</summary>
public sealed record FineTuneSettings
{
    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Images in a step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>AdamW's first rate; it falls to 0 along a cosine.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>AdamW's decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>What happens to training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;
}

/// <summary>A trained model: the best epoch's weights and the way there.</summary>
/// <param name="BestEpoch">0 where no epoch beat the start.</param>
public sealed record FineTuneResult(StateDict Weights, int BestEpoch, IReadOnlyList<EpochRecord> History);

/// <summary>Trains all weights with AdamW, a cosine schedule and the best epoch by validation macro F1.</summary>
public static class FineTuning
{
    /// <summary>Trains. Device thread only.</summary>
    /// <param name="start">Under the architecture's names, with a classifier of the target's classes.</param>
    /// <param name="report">Called after each epoch.</param>
    /// <exception cref="InputException">The loss is no longer a number: names the epoch.</exception>
    public static FineTuneResult Run(Architecture architecture, StateDict start, ImageDataset target, FineTuneSettings settings, ulong seed, Device device,
        Action<EpochRecord> report, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var loader = new BatchLoader(target, device);
        using var network = new BatchNormNetwork(architecture, start, device);
        using var optimiser = new AdamW(network.Parameters, settings.WeightDecay);
        foreach (var parameter in network.Parameters) parameter.requires_grad_();
        var plan = new ShardPlan(target.Train.Count, shards: 1, settings.BatchSize, seed);
        var totalSteps = settings.Epochs * plan.StepsPerEpoch;
        var history = new List<EpochRecord>();
        var (best, bestEpoch) = (start.Clone(), 0);
        try
        {
            Train();
            return new FineTuneResult(best, bestEpoch, history);
        }
        catch
        {
            best.Dispose();
            throw;
        }

        void Train()
        {
            for (var epoch = 0; epoch <= settings.Epochs; epoch++)
            {
                var loss = 0.0;
                for (var step = 0; epoch > 0 && step < plan.StepsPerEpoch; step++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var progress = (((epoch - 1) * plan.StepsPerEpoch) + step) / (double)totalSteps;
                    var indices = plan.Batch(epoch, step, shard: 0);
                    loss += Step(indices, epoch, 0.5 * settings.LearningRate * (1 + Math.Cos(Math.PI * progress))) * indices.Length;
                }
                if (!double.IsFinite(loss))
                    throw new InputException($"Training diverged in epoch {epoch}: the loss is {loss}. Lower the learning rate ({settings.LearningRate}).");

                var validation = Scoring.Validate(Scoring.Predict(images => network.Forward(images, training: false), target.Validation, target.Classes, loader, cancellation));
                if (epoch > 0 && validation.IsBetterThan(history[bestEpoch].Validation))
                {
                    best.Dispose();
                    (best, bestEpoch) = (network.Snapshot(), epoch);
                }
                var record = new EpochRecord(epoch, epoch == 0 ? double.NaN : loss / target.Train.Count, validation);
                history.Add(record);
                report(record);
            }
        }

        double Step(int[] indices, int epoch, double learningRate)
        {
            using var inner = NewDisposeScope();
            var images = loader.LoadTraining(indices, settings.Augmentation, seed, epoch);
            var loss = nn.functional.cross_entropy(network.Forward(images, training: true), loader.Labels(target.Train, indices));
            optimiser.Step(autograd.grad([loss], network.Parameters), learningRate);
            return loss.item<float>();
        }
    }
}

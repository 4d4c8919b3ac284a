using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>Runs a network over a split. Device thread only.</summary>
internal static class Scoring
{
    /// <summary>Below it a probability is taken for this, so that its logarithm is finite.</summary>
    private const double MinProbability = 1e-300;

    /// <summary>
    /// Probabilities of the classes or labels of every image, in order, from a function that gives logits [batch, classes] for images.
    /// </summary>
    /// <exception cref="ComputationException">An answer is not a number: the weights are damaged or their training diverged.</exception>
    public static Predictions Predict(
        Func<Tensor, Tensor> logits,
        ImageSplit split,
        int classes,
        BatchLoader loader,
        CancellationToken cancellation)
    {
        using var inference = no_grad();
        var probabilities = new double[split.Count * classes];
        var at = 0;
        foreach (var indices in loader.Batches(split))
        {
            DeviceThread.Yield(cancellation);
            using var scope = NewDisposeScope();
            var raw = logits(loader.Load(split, indices)).to(ScalarType.Float64);
            var answers = loader.IsMultiLabel ? raw.sigmoid() : raw.softmax(1);
            var rows = answers.cpu().contiguous().data<double>().ToArray();
            if (Array.FindIndex(rows, row => !double.IsFinite(row)) is >= 0 and var bad)
            {
                throw new ComputationException(
                    $"The network's answer for held-out image {(at + bad) / classes} is not a number: its weights or its batch norm " +
                    "statistics are no longer finite. A lower learning rate or a larger batch helps where it was trained just now.");
            }
            rows.CopyTo(probabilities, at);
            at += rows.Length;
        }
        return new Predictions(classes, probabilities, split.Labels) { IsMultiLabel = loader.IsMultiLabel };
    }

    /// <summary>The features of every image, [images, features], float64 on the CPU.</summary>
    public static Tensor Features(
        Func<Tensor, Tensor> features,
        ImageSplit split,
        BatchLoader loader,
        CancellationToken cancellation)
    {
        using var inference = no_grad();
        var parts = new List<Tensor>();
        foreach (var indices in loader.Batches(split))
        {
            DeviceThread.Yield(cancellation);
            using var scope = NewDisposeScope();
            parts.Add(features(loader.Load(split, indices)).to(ScalarType.Float64).cpu().MoveToOuterDisposeScope());
        }
        return cat(parts, 0);
    }

    /// <summary>A model's score on the validation images.</summary>
    /// <param name="model">Under the architecture's names, with a classifier.</param>
    public static Validation Validate(
        Architecture architecture,
        StateDict model,
        ImageDataset target,
        BatchLoader loader,
        Device device,
        CancellationToken cancellation)
    {
        using var network = new BatchNormNetwork(architecture, model, device);
        return Validate(Predict(Logits, target.Validation, target.Classes, loader, cancellation));

        Tensor Logits(Tensor images) => network.Forward(images, training: false);
    }

    /// <summary>All that epochs are chosen by.</summary>
    public static Validation Validate(Predictions predictions)
    {
        var loss = 0.0;
        for (var i = 0; i < predictions.Count; i++)
        {
            loss -= predictions.IsMultiLabel
                ? Enumerable.Range(0, predictions.Classes).Average(label => GetLogLikelihood(predictions, i, label))
                : LogOf(predictions.Row(i)[predictions.Labels[i]]);
        }
        var confusion = new ConfusionCounter(LabelThresholds.Fit(predictions)).Count();
        return new Validation(confusion.MacroF1, loss / predictions.Count)
        {
            BalancedAccuracy = confusion.BalancedAccuracy,
            Accuracy = confusion.Accuracy,
            Auc = new RocRanking(predictions).Auc(),
            QuadraticKappa = confusion.Kappa(quadratic: true),
        };
    }

    /// <summary>The logarithm of a probability, finite also where that is 0.</summary>
    public static double LogOf(double probability) => Math.Log(Math.Max(probability, MinProbability));

    private static double GetLogLikelihood(Predictions predictions, int image, int label)
    {
        var probability = predictions.Row(image)[label];
        return LogOf(predictions.Has(image, label) ? probability : 1 - probability);
    }
}

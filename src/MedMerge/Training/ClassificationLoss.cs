using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>The loss of training: cross-entropy, or focal loss, with a weight for each class. Device thread only.</summary>
internal sealed class ClassificationLoss : IDisposable
{
    /// <summary>Keeps the logarithm of 1 − p finite, where p rounds to 1.</summary>
    private const double Smallest = 1e-7;

    private readonly double _gamma;
    private readonly Tensor? _weights; // [classes]; null where all are 1

    /// <param name="type">Of the logits.</param>
    public ClassificationLoss(Imbalance imbalance, ImageDataset target, Device device, ScalarType type = ScalarType.Float32)
    {
        _gamma = imbalance.FocalGamma;
        if (imbalance.ClassWeights == ClassWeighting.None) return;
        using var scope = NewDisposeScope();
        var weights = Imbalance.Balance(target.Train.Labels, target.Classes);
        _weights = Transfers.ToDevice(weights, device).to(type).DetachFromDisposeScope();
    }

    /// <summary>The sum over images, a scalar: those of shards add up.</summary>
    /// <param name="logits">[images, classes].</param>
    /// <param name="labels">[images], int64.</param>
    public Tensor Sum(Tensor logits, Tensor labels)
    {
        if (_gamma == 0) return nn.functional.cross_entropy(logits, labels, _weights, reduction: nn.Reduction.Sum);
        var logProbabilities = logits.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1);
        var others = logProbabilities.exp().neg().Plus(1 + Smallest); // 1 − p
        var losses = others.log().Times(_gamma).exp() * logProbabilities.neg();
        return (_weights is null ? losses : losses * _weights.index_select(0, labels)).sum();
    }

    /// <summary>The sum divided by the number of images.</summary>
    /// <inheritdoc cref="Sum" path="/param" />
    public Tensor Mean(Tensor logits, Tensor labels)
    {
        var isPlain = _gamma == 0 && _weights is null;
        return isPlain ? nn.functional.cross_entropy(logits, labels) : Sum(logits, labels).Over(labels.shape[0]);
    }

    /// <inheritdoc />
    public void Dispose() => _weights?.Dispose();
}

using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// The loss of training: cross-entropy, or focal loss, with a weight for each class. Where an image may have several labels it is binary
/// cross-entropy, on average over the labels. Device thread only.
/// </summary>
internal sealed class ClassificationLoss : IDisposable
{
    /// <summary>Keeps the logarithm of 1 − p finite, where p rounds to 1.</summary>
    private const double Smallest = 1e-7;

    private readonly double _gamma;
    private readonly bool _isMultiLabel;
    private readonly Tensor? _weights; // [classes]; with several labels [2, classes], without a label and with it; null where all are 1
    private readonly Tensor? _bits; // [1, classes], with several labels: the number that stands for each in a set

    /// <param name="type">Of the logits.</param>
    public ClassificationLoss(Imbalance imbalance, ImageDataset target, Device device, ScalarType type = ScalarType.Float32)
    {
        _gamma = imbalance.FocalGamma;
        _isMultiLabel = target.IsMultiLabel;
        using var scope = NewDisposeScope();
        if (_isMultiLabel)
        {
            long[] bits = [.. Enumerable.Range(0, target.Classes).Select(label => 1L << label)];
            _bits = Transfers.ToDevice(bits, device).unsqueeze(0).DetachFromDisposeScope();
        }
        if (imbalance.ClassWeights == ClassWeighting.None) return;
        var weights = Transfers.ToDevice(Imbalance.Balance(target), device).to(type);
        _weights = (_isMultiLabel ? weights.view(2, target.Classes) : weights).DetachFromDisposeScope();
    }

    /// <summary>The sum over images, a scalar: those of shards add up.</summary>
    /// <param name="logits">[images, classes].</param>
    /// <param name="labels">[images], int64, as <see cref="LabelSet"/> has them.</param>
    /// <param name="imageWeights">[images], what each counts; null where all count alike.</param>
    public Tensor Sum(Tensor logits, Tensor labels, Tensor? imageWeights = null)
    {
        if (_isMultiLabel) return AddUp(MeasureLabels(logits, labels), imageWeights);
        if (_gamma == 0 && imageWeights is null)
            return nn.functional.cross_entropy(logits, labels, _weights, reduction: nn.Reduction.Sum);
        return AddUp(MeasureClasses(logits, labels), imageWeights);
    }

    /// <summary>The sum divided by the number of images.</summary>
    /// <inheritdoc cref="Sum" path="/param" />
    public Tensor Mean(Tensor logits, Tensor labels, Tensor? imageWeights = null)
    {
        var isPlain = _gamma == 0 && _weights is null && !_isMultiLabel && imageWeights is null;
        return isPlain ? nn.functional.cross_entropy(logits, labels) : Sum(logits, labels, imageWeights).Over(labels.shape[0]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _weights?.Dispose();
        _bits?.Dispose();
    }

    private static Tensor AddUp(Tensor losses, Tensor? imageWeights) => (imageWeights is null ? losses : losses * imageWeights).sum();

    /// <summary>Each image's loss, [images].</summary>
    private Tensor MeasureClasses(Tensor logits, Tensor labels)
    {
        if (_gamma == 0) return nn.functional.cross_entropy(logits, labels, _weights, reduction: nn.Reduction.None);
        var logProbabilities = logits.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1);
        var others = logProbabilities.exp().neg().Plus(1 + Smallest); // 1 − p
        var losses = others.log().Times(_gamma).exp() * logProbabilities.neg();
        return _weights is null ? losses : losses * _weights.index_select(0, labels);
    }

    /// <summary>Each image's loss, on average over the labels, [images].</summary>
    private Tensor MeasureLabels(Tensor logits, Tensor sets)
    {
        var has = sets.unsqueeze(1).bitwise_and(_bits!).ne(zeros_like(_bits!));
        // By the sign the logit of the right answer, whose probability is p.
        var right = logits.where(has, logits.neg());
        var losses = nn.functional.logsigmoid(right).neg();
        if (_gamma != 0) losses = losses * nn.functional.logsigmoid(right.neg()).Times(_gamma).exp(); // (1 − p)^γ
        if (_weights is not null) losses = losses * _weights[1].unsqueeze(0).where(has, _weights[0].unsqueeze(0));
        return losses.sum(1).Over(logits.shape[1]);
    }
}

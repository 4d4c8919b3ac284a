using MedMerge.Data;

namespace MedMerge.Training;

/// <summary>How much an image of a class counts in the loss.</summary>
public enum ClassWeighting
{
    /// <summary>As much as any other.</summary>
    None,

    /// <summary>In inverse proportion to the class's number of training images, so that all classes count alike; 1 on average.</summary>
    Balanced,
}

/// <summary>Which training images an epoch takes.</summary>
public enum ClassSampling
{
    /// <summary>Each once.</summary>
    Once,

    /// <summary>As many as there are, equally many of each class: those of small classes several times, some of large ones not.</summary>
    Balanced,
}

/// <summary>What training does about classes of unequal size. Scores on validation and test images are never weighted.</summary>
public readonly record struct Imbalance
{
    /// <summary>How much an image of a class counts in the loss.</summary>
    public ClassWeighting ClassWeights { get; init; }

    /// <summary>Which images an epoch takes.</summary>
    public ClassSampling Sampling { get; init; }

    /// <summary>γ of the focal loss −(1 − p)^γ ln p of the true class's probability p (Lin et al. 2017); 0 is cross-entropy.</summary>
    public double FocalGamma { get; init; }

    /// <summary>
    /// What each training image counts in a linear probe, which takes every one once and minimises cross-entropy: by balanced weights it
    /// finds what balanced sampling leads to. Null where all count alike.
    /// </summary>
    /// <returns>[images]; with several labels [images × labels].</returns>
    internal double[]? WeighProbe(ImageDataset target)
    {
        var isBalanced = ClassWeights == ClassWeighting.Balanced || Sampling == ClassSampling.Balanced;
        if (!isBalanced && target.Train.Weights is null) return null;
        var (labels, classes) = (target.Train.Labels, target.Classes);
        var byImage = target.Train.ScaleWeights();
        var byClass = isBalanced ? Balance(target) : null;
        return target.IsMultiLabel
            ? [.. labels.SelectMany((set, image) => Enumerable.Range(0, classes).Select(label => Weigh(image, GetPlace(set, label))))]
            : [.. labels.Select((label, image) => Weigh(image, label))];

        double Weigh(int image, int place) => (byImage?[image] ?? 1) * (byClass?[place] ?? 1);

        int GetPlace(int set, int label) => (LabelSet.Has(set, label, isMultiLabel: true) ? classes : 0) + label;
    }

    /// <summary>The training labels by which batches are balanced; null where they are not.</summary>
    internal int[]? BalanceBatches(ImageSplit train) => Sampling == ClassSampling.Balanced ? train.Labels : null;

    /// <summary>images / (classes × images of the class), which is 1 on average over the images; 0 for a class without images.</summary>
    /// <returns>[classes]; with several labels [2, classes]: images without a label, then those with it.</returns>
    internal static double[] Balance(ImageDataset target)
    {
        var images = (double)target.Train.Count;
        int[] counts = [.. Enumerable.Range(0, target.Classes).Select(label => target.Find(target.Train, label).Count())];
        return target.IsMultiLabel
            ? [.. counts.Select(count => Weigh(images - count, parts: 2)), .. counts.Select(count => Weigh(count, parts: 2))]
            : [.. counts.Select(count => Weigh(count, target.Classes))];

        double Weigh(double count, int parts) => count == 0 ? 0 : images / (parts * count);
    }

    /// <summary>Refuses what is not defined for a data set.</summary>
    /// <exception cref="InputException">Batches are to be balanced, and images have several labels.</exception>
    internal void Check(ImageDataset target)
    {
        if (Sampling != ClassSampling.Balanced || !target.IsMultiLabel) return;
        throw new InputException(
            $"'sampling: balanced' is for images of one class each; those of data set {target.Name} may have several labels. " +
            "'classWeights: balanced' weighs each label.");
    }
}

namespace MedMerge.Training;

/// <summary>One line of a training curve.</summary>
/// <param name="Epoch">0 is the state before the first epoch.</param>
/// <param name="Loss">Mean cross-entropy on the training images in this epoch, in nats; NaN for epoch 0.</param>
/// <param name="Validation">On the validation split, after the epoch.</param>
/// <param name="Entropy">Mean entropy of the kernel weights, 0 to 1; null outside weight learning.</param>
public sealed record EpochRecord(int Epoch, double Loss, Validation Validation, double? Entropy = null);

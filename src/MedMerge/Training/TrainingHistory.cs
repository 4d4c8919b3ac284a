namespace MedMerge.Training;

/// <summary>A whole model's training so far: every epoch, and which is the best. The number of the next epoch is <see cref="Count"/>; the start counts as epoch 0.</summary>
/// <param name="Epochs">From 0.</param>
/// <param name="BestEpoch">By validation macro F1.</param>
public sealed record TrainingHistory(IReadOnlyList<EpochRecord> Epochs, int BestEpoch)
{
    /// <summary>Before anything was measured.</summary>
    public static TrainingHistory Empty { get; } = new([], 0);

    /// <summary>Epochs so far.</summary>
    public int Count => Epochs.Count;

    /// <summary>Adds an epoch.</summary>
    /// <param name="startCounts">Whether the start may be the best epoch; random weights may not, however small validation splits flatter them.</param>
    public TrainingHistory With(EpochRecord epoch, bool startCounts)
    {
        var isBest = epoch.Epoch > 0 && ((epoch.Epoch == 1 && !startCounts) || epoch.Validation.IsBetterThan(Epochs[BestEpoch].Validation));
        return new TrainingHistory([.. Epochs, epoch], isBest ? epoch.Epoch : BestEpoch);
    }

    /// <summary>Refuses a loss that is no longer a number.</summary>
    /// <exception cref="InputException">Names the epoch.</exception>
    public static void CheckLoss(double loss, int epoch, FineTuneSettings settings)
    {
        if (!double.IsFinite(loss)) throw new InputException($"Training diverged in epoch {epoch}: the loss is {loss}. Lower the learning rate ({settings.LearningRate}).");
    }
}

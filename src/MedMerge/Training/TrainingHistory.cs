using MedMerge.Statistics;

namespace MedMerge.Training;

/// <summary>
/// A whole model's training so far: every epoch, and which is the best. The number of the next epoch is <see cref="Count"/>; the start
/// counts as epoch 0.
/// </summary>
/// <param name="Epochs">From 0.</param>
/// <param name="BestEpoch">By the score on the validation split.</param>
internal sealed record TrainingHistory(IReadOnlyList<EpochRecord> Epochs, int BestEpoch)
{
    /// <summary>Before anything was measured.</summary>
    public static TrainingHistory Empty { get; } = new([], 0);

    /// <summary>Epochs so far.</summary>
    public int Count => Epochs.Count;

    /// <summary>Adds an epoch.</summary>
    /// <param name="startCounts">
    /// Whether the start may be the best epoch; random weights may not, however well they score by luck on a small validation split.
    /// </param>
    /// <param name="metric">What the best epoch is chosen by.</param>
    public TrainingHistory With(EpochRecord epoch, bool startCounts, Metric metric) =>
        new([.. Epochs, epoch], IsBest(epoch, startCounts, metric) ? epoch.Epoch : BestEpoch);

    /// <summary>Refuses a loss that is no longer a number.</summary>
    /// <exception cref="ComputationException">Names the epoch.</exception>
    public static void CheckLoss(double loss, int epoch, FineTuneSettings settings)
    {
        if (double.IsFinite(loss)) return;
        throw new ComputationException(
            $"Training diverged in epoch {epoch}: the loss is {loss}. Lower the learning rate ({settings.LearningRate}).");
    }

    private bool IsBest(EpochRecord epoch, bool startCounts, Metric metric)
    {
        if (epoch.Epoch == 0) return false; // it is the best until another is better
        if (epoch.Epoch == 1 && !startCounts) return true;
        return epoch.Validation.IsBetterThan(Epochs[BestEpoch].Validation, metric);
    }
}

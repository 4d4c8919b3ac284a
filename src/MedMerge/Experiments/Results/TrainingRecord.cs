using MedMerge.Merging;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Results;

/// <summary>How a trial's fine-tuning went, and what its kernel weights are, for figures.</summary>
/// <param name="FineTuning">Epoch by epoch, from 0; empty where nothing was fine-tuned.</param>
/// <param name="Alpha">The learned kernel weights; null where none were learned.</param>
internal sealed record TrainingRecord(IReadOnlyList<EpochRecord> FineTuning, KernelWeightSummary? Alpha)
{
    /// <summary>The mean of α by epoch, from 0, layer and source; empty where it is not known.</summary>
    public IReadOnlyList<double[][]> LayerMeans { get; init; } = [];

    /// <summary>The epoch whose model the training of a whole model ended with; null where it is not known.</summary>
    /// <param name="kept">What was validated of that model.</param>
    public int? FindKept(Validation? kept)
    {
        var epoch = FineTuning.Index().Where(epoch => epoch.Item.Validation.Equals(kept)).Select(epoch => (int?)epoch.Index);
        return epoch.FirstOrDefault();
    }

    /// <summary>The epoch whose kernel weights the learning ended with; of equal ones the first, and the start counts.</summary>
    /// <param name="epochs">From 0, at least one.</param>
    public static int FindBest(IReadOnlyList<EpochRecord> epochs, Metric metric)
    {
        var best = 0;
        for (var epoch = 1; epoch < epochs.Count; epoch++)
            if (epochs[epoch].Validation.IsBetterThan(epochs[best].Validation, metric)) best = epoch;
        return best;
    }
}

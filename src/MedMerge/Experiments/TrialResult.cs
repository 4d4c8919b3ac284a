using MedMerge.Experiments.Stages;
using MedMerge.Statistics;

namespace MedMerge.Experiments;

/// <summary>What one trial gave.</summary>
public sealed record TrialResult(Trial Trial, HeldOutPredictions Predictions)
{
    /// <summary>On the test split.</summary>
    public Scores Test { get; } = Scores.Of(Predictions.Test);

    /// <summary>On the validation split.</summary>
    public Scores Validation { get; } = Scores.Of(Predictions.Validation);
}

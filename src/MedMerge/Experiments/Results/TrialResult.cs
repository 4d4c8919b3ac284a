using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>What one trial gave.</summary>
/// <param name="Certificate">Of its merge; null where nothing was merged.</param>
public sealed record TrialResult(PlannedTrial Trial, HeldOutPredictions Predictions, Certificate? Certificate)
{
    /// <summary>On the test split.</summary>
    public Scores Test { get; } = Scores.Of(Predictions.Test);

    /// <summary>On the validation split.</summary>
    public Scores Validation { get; } = Scores.Of(Predictions.Validation);
}

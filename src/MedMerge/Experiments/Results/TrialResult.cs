using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Results;

/// <summary>The result of one trial.</summary>
/// <param name="Predictions">Null once the scenario is compared: scores remain, and predictions would be most of what results hold.</param>
/// <param name="Certificate">The certificate of its merge; null if nothing was merged.</param>
/// <param name="LearningRate">The learning rate that fine-tuning chose; null if nothing was fine-tuned.</param>
internal sealed record TrialResult(
    PlannedTrial Trial,
    HeldOutPredictions? Predictions,
    Certificate? Certificate,
    LearningRateChoice? LearningRate)
{
    /// <summary>
    /// The largest entry of a linear probe's gradient, if one of the trial's probes ended before its optimum; null if all reached it.
    /// </summary>
    public double? ProbeGradient { get; init; }

    /// <summary>Which model a merge ended with; null where it is always its own.</summary>
    public ModelSelection? Selection { get; init; }

    /// <summary>The learning of its kernel weights, epoch by epoch from 0; empty where none were learned.</summary>
    public IReadOnlyList<EpochRecord> WeightLearning { get; init; } = [];

    /// <summary>The rest of its training; null for all but the first trial of a row.</summary>
    public TrainingRecord? Training { get; init; }

    /// <summary>Scores on the test split.</summary>
    public Scores Test { get; } = Scores.Of(Predictions!.Test);

    /// <summary>Scores on the validation split.</summary>
    public Scores Validation { get; } = Scores.Of(Predictions!.Validation);

    /// <summary>The same without <see cref="Predictions"/>; scores are copied.</summary>
    public TrialResult WithoutPredictions() => this with { Predictions = null };
}

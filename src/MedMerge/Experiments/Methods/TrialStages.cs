using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>What a trial consists of.</summary>
/// <param name="Predictions">The last stage; its output is <see cref="HeldOutPredictions"/>.</param>
/// <param name="Outputs">What the trial leaves besides, each role at most once.</param>
public sealed record TrialStages(Stage Predictions, IReadOnlyList<TrialOutput> Outputs);

/// <summary>A file that a trial leaves for its user.</summary>
/// <param name="Stage">Whose output it is.</param>
/// <param name="Artefact">Its name there, of <see cref="StageFiles"/>.</param>
public sealed record TrialOutput(OutputRole Role, Stage Stage, string Artefact);

/// <summary>What a file of a trial is for.</summary>
public enum OutputRole
{
    /// <summary>The kernel weights of the merge, with the target's statistics and head.</summary>
    KernelWeights,

    /// <summary>The merged model before fine-tuning.</summary>
    MergedModel,

    /// <summary>The certificate of the merge.</summary>
    Certificate,

    /// <summary>The final model.</summary>
    Model,

    /// <summary>The learning curve of the fine-tuning.</summary>
    FineTuneHistory,

    /// <summary>The learning curve of the kernel weights.</summary>
    KernelWeightHistory,
}

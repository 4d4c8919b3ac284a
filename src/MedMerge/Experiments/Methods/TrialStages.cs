using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>The last stage of a trial and the files that the trial exports.</summary>
/// <param name="Predictions">The last stage; its output is <see cref="HeldOutPredictions"/>.</param>
/// <param name="Outputs">The exported files, each role at most once.</param>
internal sealed record TrialStages(Stage Predictions, IReadOnlyList<TrialOutput> Outputs)
{
    /// <summary>The stages that score it at each rung of a search, from the first; none where it always runs to its end.</summary>
    public IReadOnlyList<RungStage> Rungs { get; init; } = [];

    /// <summary>The exported file with a role, which must be there.</summary>
    public TrialOutput GetOutput(OutputRole role) => Outputs.Single(output => output.Role == role);

    /// <summary>The same trial with another model at its end.</summary>
    /// <param name="model">The stage that writes it.</param>
    /// <param name="predictions">The new last stage.</param>
    /// <param name="more">A file that says how it came about.</param>
    public TrialStages EndWith(Stage model, Stage predictions, TrialOutput more) => this with
    {
        Predictions = predictions,
        Outputs =
        [
            new TrialOutput(OutputRole.Model, model, StageFiles.Model),
            more,
            .. Outputs.Where(output => output.Role != OutputRole.Model),
        ],
    };
}

/// <summary>A file that a trial exports.</summary>
/// <param name="Stage">The stage that writes it.</param>
/// <param name="Artefact">Its name in the stage's output, of <see cref="StageFiles"/>.</param>
internal sealed record TrialOutput(OutputRole Role, Stage Stage, string Artefact);

/// <summary>The role of an exported file.</summary>
internal enum OutputRole
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

    /// <summary>The learning rate that was chosen, and what the others scored.</summary>
    LearningRate,

    /// <summary>The learning curve of the kernel weights.</summary>
    KernelWeightHistory,

    /// <summary>The share of each model in a combined one.</summary>
    Coefficients,

    /// <summary>Which model a merge ended with, and what the candidates scored.</summary>
    Selection,
}

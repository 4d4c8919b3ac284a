namespace MedMerge.Training;

/// <summary>The names of the stages that train: in progress, traces and metrics.</summary>
internal static class TrainingNames
{
    /// <summary>Learning kernel weights.</summary>
    public const string KernelWeights = "weigh";

    /// <summary>Training a whole model: fine-tuning, from scratch, pretraining.</summary>
    public const string FineTune = "fine-tune";
}

using MedMerge.Data;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;

namespace MedMerge.Experiments.Planning;

/// <summary>Creates stages that train source models, from scratch or on from another source.</summary>
internal static class PretrainStages
{
    /// <summary>Creates the training stage.</summary>
    /// <param name="data">The loaded data set.</param>
    /// <param name="settings">Device and threads; <paramref name="pretraining"/> has the training settings.</param>
    /// <param name="from">Provides the model that it starts from, with a new classifier; null for random weights.</param>
    /// <param name="computation"><see cref="Stage.Computation"/>.</param>
    /// <exception cref="InputException">The data set is too small for the settings or the architecture.</exception>
    public static FineTuneStage Create(
        Pretraining pretraining,
        ImageDataset data,
        Architecture architecture,
        ScenarioSettings settings,
        Stage? from = null,
        string? computation = null)
    {
        architecture.Check(data);
        pretraining.Training.Imbalance.Check(data);
        pretraining.Training.PlanFor(data.Train, pretraining.Seed);
        var start = from ?? new UntrainedStage(architecture, data.Classes, pretraining.Seed, UntrainedStage.Pretraining)
        {
            Computation = computation,
        };
        var target = new TargetContext(architecture, data, settings.Threads, settings.DeviceKind);
        return new FineTuneStage(start, Head: null, KeepsHead: from is null, pretraining.Training, target, pretraining.Seed);
    }
}

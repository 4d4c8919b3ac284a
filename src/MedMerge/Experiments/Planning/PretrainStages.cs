using MedMerge.Data;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;

namespace MedMerge.Experiments.Planning;

/// <summary>Creates stages that train source models from scratch.</summary>
internal static class PretrainStages
{
    /// <summary>Creates the training stage.</summary>
    /// <param name="data">The loaded data set.</param>
    /// <param name="settings">Device and threads; <paramref name="pretraining"/> has the training settings.</param>
    /// <exception cref="InputException">The data set is too small for the settings or the architecture.</exception>
    public static FineTuneStage Create(
        Pretraining pretraining,
        ImageDataset data,
        Architecture architecture,
        ScenarioSettings settings)
    {
        architecture.Check(data);
        pretraining.Training.PlanFor(data.Train.Count, pretraining.Seed);
        var untrained = new UntrainedStage(architecture, data.Classes, pretraining.Seed, UntrainedStage.Pretraining);
        var target = new TargetContext(architecture, data, settings.Threads, settings.DeviceKind);
        return new FineTuneStage(untrained, Head: null, KeepsHead: true, pretraining.Training, target, pretraining.Seed);
    }
}

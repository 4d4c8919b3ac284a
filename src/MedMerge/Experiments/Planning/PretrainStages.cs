using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;

namespace MedMerge.Experiments.Planning;

/// <summary>Creates stages that train source models from scratch.</summary>
internal static class PretrainStages
{
    /// <summary>Loads the data set and creates the training stage.</summary>
    /// <param name="settings">Device and threads; <paramref name="pretraining"/> has the training settings.</param>
    /// <param name="read">Reads the data set's file.</param>
    /// <exception cref="InputException">The data set is missing, unusable, or too small for the settings.</exception>
    public static FineTuneStage Create(Pretraining pretraining, Architecture architecture, ScenarioSettings settings, FileReader read)
    {
        var data = pretraining.Data.Load(read);
        architecture.Check(data);
        pretraining.Training.PlanFor(data.Train.Count, pretraining.Seed);
        var untrained = new UntrainedStage(architecture, data.Classes, pretraining.Seed, UntrainedStage.Pretraining);
        var target = new TargetContext(architecture, data, settings.Threads, settings.DeviceKind);
        return new FineTuneStage(untrained, Head: null, KeepsHead: true, pretraining.Training, target, pretraining.Seed);
    }
}

using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;

namespace MedMerge.Experiments.Planning;

/// <summary>The stage that trains a source model from scratch.</summary>
public static class PretrainStages
{
    /// <summary>Loads the data set and lays out the training.</summary>
    /// <param name="settings">Device and threads count; how it is trained stands in <paramref name="pretraining"/>.</param>
    /// <param name="read">Gives the data set's file.</param>
    /// <exception cref="InputException">The data set is missing, unusable, or too small for the settings.</exception>
    public static FineTuneStage Create(Pretraining pretraining, Architecture architecture, ScenarioSettings settings, FileReader read)
    {
        var data = pretraining.Data.Load(read);
        pretraining.Training.PlanFor(data.Train.Count, pretraining.Seed);
        var untrained = new UntrainedStage(architecture, data.Classes, pretraining.Seed, UntrainedStage.Pretraining);
        var target = new TargetContext(architecture, data, settings.Threads, settings.DeviceKind);
        return new FineTuneStage(untrained, Head: null, KeepsHead: true, pretraining.Training, target, pretraining.Seed);
    }
}

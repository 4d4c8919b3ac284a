using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Experiments;

/// <summary>Where a run is.</summary>
/// <param name="Stage">The stage at work.</param>
/// <param name="Epoch">The last finished epoch of the stage; null before the first and for stages without.</param>
/// <param name="Epochs">How many there will be.</param>
/// <param name="WorkDone">Of the plan's total cost, 0 to 1, kept artefacts included.</param>
/// <param name="Left">Expected time left, from the pace so far; null before there is one.</param>
public sealed record RunProgress(Trial Trial, int Trials, Stage Stage, EpochRecord? Epoch, int Epochs, double WorkDone, TimeSpan? Left);

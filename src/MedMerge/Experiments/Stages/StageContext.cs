using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>What stages compute with.</summary>
/// <param name="Device">The device thread.</param>
/// <param name="Checkpoints">Keeps the stage's state after each epoch.</param>
/// <param name="Epochs">Hears of every epoch, with the number of epochs there will be.</param>
public sealed record StageContext(DeviceThread Device, ICheckpoints Checkpoints, Action<EpochRecord, int> Epochs);

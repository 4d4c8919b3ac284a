using System.Diagnostics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Gives a file that a specification names, on the node where a stage runs.</summary>
/// <inheritdoc cref="FileReader" />
public delegate Task<byte[]> StageFileReader(string location, string kind, CancellationToken cancellation);

/// <summary>What stages compute with.</summary>
/// <param name="Device">The device thread.</param>
/// <param name="Checkpoints">Keeps the stage's state after each epoch.</param>
/// <param name="Files">Gives the files that the specification names.</param>
/// <param name="Epochs">Hears of every epoch, with the number of epochs there will be.</param>
/// <param name="Span">The stage's, parent of its epochs'.</param>
public sealed record StageContext(DeviceThread Device, ICheckpoints Checkpoints, StageFileReader Files, Action<EpochRecord, int> Epochs, ActivityContext Span);

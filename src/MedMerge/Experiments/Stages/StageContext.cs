using System.Diagnostics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Reads a file that a specification names, on the node where a stage runs.</summary>
/// <inheritdoc cref="FileReader" />
internal delegate Task<byte[]> StageFileReader(string location, string kind, CancellationToken cancellation);

/// <summary>The environment in which a stage runs.</summary>
/// <param name="Device">The device thread.</param>
/// <param name="Checkpoints">Keeps the stage's state.</param>
/// <param name="CheckpointInterval">How often.</param>
/// <param name="ReadFile">Reads the files that the specification names.</param>
/// <param name="OnEpoch">Called after every epoch with the total number of epochs.</param>
/// <param name="OnWarning">Called with what a user should know about the output, a sentence each.</param>
/// <param name="Span">The stage's span, parent of its epochs' spans.</param>
internal sealed record StageContext(
    DeviceThread Device,
    ICheckpoints Checkpoints,
    CheckpointInterval CheckpointInterval,
    StageFileReader ReadFile,
    Action<EpochRecord, int> OnEpoch,
    Action<string> OnWarning,
    ActivityContext Span);

using System.Text.Json.Serialization;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// How long a stage's computation took. It is no part of the output: two computations of the same bytes have two timings.
/// </summary>
/// <param name="Seconds">
/// Time that its lane has worked for it, without waiting, loading and saving; of a stage that is spread over nodes, the whole time.
/// </param>
/// <param name="IsResumed">Whether it began from a checkpoint, so that an earlier part is not in <paramref name="Seconds"/>.</param>
/// <param name="Device">Model of the processor or GPU.</param>
/// <param name="Nodes">How many nodes it was spread over at its end; 1 where it was not.</param>
internal sealed record StageTiming(double Seconds, bool IsResumed, string Device, int Nodes = 1)
{
    /// <summary>Seconds of devices that it took.</summary>
    [JsonIgnore]
    public double DeviceSeconds => Seconds * Nodes;
}

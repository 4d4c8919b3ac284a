using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>An event of a sweep's stream: its status, or trials that have changed.</summary>
/// <param name="Status">Null where the event is about trials.</param>
internal sealed record SweepEvent(SweepStatus? Status, IReadOnlyList<TrialSummary> Trials);

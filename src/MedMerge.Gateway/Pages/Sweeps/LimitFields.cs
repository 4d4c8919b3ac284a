using MedMerge.Gateway.Endpoints;
using MedMerge.Grains;

namespace MedMerge.Gateway.Pages.Sweeps;

/// <summary>A sweep's limits as a user edits them; null is no limit.</summary>
/// <param name="known">As they were when the user began: only what differs is changed, so that nobody's change is undone.</param>
internal sealed class LimitFields(SweepLimits known)
{
    /// <summary>Trials at a time.</summary>
    public int? Parallel { get; set; } = known.Parallel;

    /// <summary>Higher goes first.</summary>
    public int? Priority { get; set; } = known.Priority;

    /// <summary>Trials in all.</summary>
    public int? Trials { get; set; } = known.Trials;

    /// <summary>Hours of devices in all.</summary>
    public double? DeviceHours { get; set; } = known.DeviceHours;

    /// <summary>What to change.</summary>
    public LimitRequest GetChanges() => new(
        Parallel == known.Parallel ? null : Parallel ?? 0,
        Priority == known.Priority ? null : Priority ?? 0,
        Trials == known.Trials ? null : Trials ?? 0,
        DeviceHours == known.DeviceHours ? null : DeviceHours ?? 0);
}

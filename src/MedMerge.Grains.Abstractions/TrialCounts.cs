using System.Text.Json.Serialization;

namespace MedMerge.Grains;

/// <summary>How many trials of a sweep are in each state.</summary>
/// <param name="Waiting">Not begun, or waiting to go on.</param>
/// <param name="Done">Ended with a result.</param>
/// <param name="StoppedEarly">Not gone on with, because a search found others better; no failures.</param>
/// <param name="Cancelled">Skipped by a user, left out by a budget, or of a cancelled sweep.</param>
/// <param name="Quarantined">Given up because nodes died under them.</param>
/// <param name="FailedTransient">Failed of what could have passed, too often.</param>
/// <param name="FailedPermanent">Failed of what would recur.</param>
/// <param name="FailedNodeBad">Failed because their nodes were unfit, too often.</param>
[GenerateSerializer, Immutable]
public sealed record TrialCounts(
    [property: Id(0)] int Waiting,
    [property: Id(1)] int Running = 0,
    [property: Id(2)] int Done = 0,
    [property: Id(3)] int StoppedEarly = 0,
    [property: Id(4)] int Cancelled = 0,
    [property: Id(5)] int Quarantined = 0,
    [property: Id(6)] int FailedTransient = 0,
    [property: Id(7)] int FailedPermanent = 0,
    [property: Id(8)] int FailedNodeBad = 0)
{
    /// <summary>Ended without a result because of an error; the quarantined are not among them.</summary>
    [JsonIgnore]
    public int Failed => FailedTransient + FailedPermanent + FailedNodeBad;

    /// <summary>How many have not ended.</summary>
    [JsonIgnore]
    public int Pending => Waiting + Running;

    /// <summary>All.</summary>
    [JsonIgnore]
    public int Total => Pending + Done + StoppedEarly + Cancelled + Quarantined + Failed;

    /// <summary>The counts with that many more trials in a state.</summary>
    /// <param name="kind">Why they failed; only for those that did.</param>
    public TrialCounts Add(WorkState state, FailureKind? kind, int count) => (state, kind) switch
    {
        (WorkState.Waiting, _) => this with { Waiting = Waiting + count },
        (WorkState.Running, _) => this with { Running = Running + count },
        (WorkState.Done, _) => this with { Done = Done + count },
        (WorkState.StoppedEarly, _) => this with { StoppedEarly = StoppedEarly + count },
        (WorkState.Cancelled, _) => this with { Cancelled = Cancelled + count },
        (WorkState.Quarantined, _) => this with { Quarantined = Quarantined + count },
        (WorkState.Failed, FailureKind.Transient) => this with { FailedTransient = FailedTransient + count },
        (WorkState.Failed, FailureKind.NodeBad) => this with { FailedNodeBad = FailedNodeBad + count },
        (WorkState.Failed, _) => this with { FailedPermanent = FailedPermanent + count },
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "No trial is in that state."),
    };

    /// <summary>As shown of a sweep: what had not ended when a sweep was cancelled is cancelled.</summary>
    public TrialCounts Of(WorkState sweep) => sweep == WorkState.Cancelled
        ? this with { Waiting = 0, Running = 0, Cancelled = Cancelled + Pending }
        : this;
}

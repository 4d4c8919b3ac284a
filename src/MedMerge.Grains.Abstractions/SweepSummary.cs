namespace MedMerge.Grains;

/// <summary>A sweep in the list of all.</summary>
/// <param name="State">As in its status; <see cref="WorkState.Damaged"/> where its record can't be read.</param>
/// <param name="Counts">How many trials are in each state; none before they are planned.</param>
/// <param name="Submitter">Who submitted it; null where that is not known.</param>
public sealed record SweepSummary(
    string Id,
    string Name,
    WorkState State,
    DateTimeOffset Submitted,
    TrialCounts Counts,
    string? Reason,
    string? Submitter = null)
{
    /// <summary>
    /// Its progress in a few words: <c>12 of 40 trials</c>, <c>Paused, 12 of 40 trials</c>. No slash: the Aspire
    /// dashboard shows it as a space.
    /// </summary>
    public string Text => State switch
    {
        WorkState.Running when Reason is null => Count,
        WorkState.Running => $"Waiting, {Count}",
        _ when Counts.Total == 0 => $"{State}",
        _ => $"{State}, {Count}",
    };

    private string Count => Counts.Total == 0 ? "Starting" : $"{Counts.Done} of {Counts.Total} trials{Failures}";

    private string Failures => CountFailures > 0 ? $", {CountFailures} failed" : "";

    private int CountFailures => Counts.Failed + Counts.Quarantined;

    /// <summary>Whether an action would change anything.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c> or <c>cancel</c>.</param>
    public bool Allows(string verb) =>
        ActionOf(verb) is { } action && SweepTransitions.Next(State, action, hasFailedTrials: CountFailures > 0) is not null;

    private static SweepAction? ActionOf(string verb) => verb switch
    {
        "pause" => SweepAction.Pause,
        "resume" => SweepAction.Resume,
        "cancel" => SweepAction.Cancel,
        _ => null,
    };
}

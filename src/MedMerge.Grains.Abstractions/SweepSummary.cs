namespace MedMerge.Grains;

/// <summary>A sweep in the list of all.</summary>
/// <param name="State">As in its status; <see cref="WorkState.Damaged"/> where its record can't be read.</param>
/// <param name="Trials">How many; 0 before they are planned.</param>
/// <param name="Done">How many have a result.</param>
public sealed record SweepSummary(
    string Id,
    string Name,
    WorkState State,
    DateTimeOffset Submitted,
    int Trials,
    int Done,
    string? Reason)
{
    /// <summary>
    /// Its progress in a few words: <c>12 of 40 trials</c>, <c>Paused, 12 of 40 trials</c>. No slash: the Aspire
    /// dashboard shows it as a space.
    /// </summary>
    public string Text => State switch
    {
        WorkState.Running when Reason is null => Count,
        WorkState.Running => $"Waiting, {Count}",
        _ when Trials == 0 => $"{State}",
        _ => $"{State}, {Count}",
    };

    private string Count => Trials == 0 ? "Starting" : $"{Done} of {Trials} trials";

    /// <summary>Whether an action would change anything.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c> or <c>cancel</c>.</param>
    public bool Allows(string verb) =>
        ActionOf(verb) is { } action && SweepTransitions.Next(State, action, hasFailedTrials: Done < Trials) is not null;

    private static SweepAction? ActionOf(string verb) => verb switch
    {
        "pause" => SweepAction.Pause,
        "resume" => SweepAction.Resume,
        "cancel" => SweepAction.Cancel,
        _ => null,
    };
}

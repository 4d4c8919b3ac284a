namespace MedMerge.Grains;

/// <summary>Status of a piece of leased work, as its grain answers it.</summary>
public interface IWorkStatus
{
    /// <summary>Running, done or failed; waiting where its node is leaving and another continues it.</summary>
    WorkState State { get; }

    /// <summary>Why it failed; null where it has not.</summary>
    Failure? Failure { get; }

    /// <summary>Whether there is nothing more to wait for.</summary>
    bool HasEnded => State is WorkState.Done or WorkState.Failed;
}

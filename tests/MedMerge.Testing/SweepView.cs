using MedMerge.Grains;

namespace MedMerge.Testing;

/// <summary>A sweep's status with all of its trials.</summary>
public sealed record SweepView(SweepStatus Status, IReadOnlyList<TrialSummary> Trials)
{
    public WorkState State => Status.State;

    public string? Reason => Status.Reason;

    public bool HasEnded => Status.HasEnded;

    /// <summary>How many trials have a result.</summary>
    public int Done => Status.Counts.Done;

    /// <summary>Reads every page.</summary>
    /// <param name="knownVersion">Of the status; -1 not to wait for a change.</param>
    public static async Task<SweepView> ReadAsync(ISweepGrain sweep, long knownVersion = -1)
    {
        var status = await sweep.StatusAsync(knownVersion);
        var trials = new List<TrialSummary>();
        for (int? from = 1; from is { } number;)
        {
            var page = await sweep.TrialsAsync(new TrialQuery(number));
            trials.AddRange(page.Trials);
            from = page.Next;
        }
        return new SweepView(status, trials);
    }
}

using MedMerge.Experiments.Planning;
using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>A sweep that takes a larger plan: trials are the same where their predictions come from the same stage.</summary>
internal static class SweepExtension
{
    /// <summary>Checks that a plan has every trial of the one before.</summary>
    /// <exception cref="ArgumentException">It has not.</exception>
    public static void Check(PlanSummary before, PlanSummary extended)
    {
        var known = extended.Trials.Select(trial => trial.Predictions).ToHashSet();
        var lost = before.Trials.Where(trial => !known.Contains(trial.Predictions)).ToList();
        if (lost.Count == 0) return;
        var first = $"{before.GetScenario(lost[0]).Name}: {lost[0].Row.Title}, seed {lost[0].Seed}";
        throw new ArgumentException(
            $"The specification lacks {lost.Count} of the sweep's {before.Trials.Count} trials, the first '{first}'. "
            + "Extending only adds seeds, scenarios or methods; submit it as a sweep of its own: what both share is not computed again.");
    }

    /// <summary>The record with the larger plan's trials; those that were there keep what became of them.</summary>
    public static SweepRecord Apply(SweepRecord record, PlanSummary before, PlanSummary extended)
    {
        var known = before.Trials
            .Select(trial => (trial.Predictions, Record: record.Trials.Get(trial.Number)))
            .DistinctBy(trial => trial.Predictions)
            .ToDictionary(trial => trial.Predictions, trial => trial.Record);
        var trials = extended.Trials.Select(trial => known.GetValueOrDefault(trial.Predictions, TrialRecord.Unknown)).ToList();
        return record with
        {
            State = WorkState.Running,
            Reason = null,
            Trials = SweepTrials.Create(trials),
            Revision = record.Revision + 1,
        };
    }
}

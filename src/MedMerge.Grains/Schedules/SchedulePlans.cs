using System.Text.Json;
using MedMerge.Experiments.Planning;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;

namespace MedMerge.Grains.Schedules;

/// <summary>
/// The plans of schedules' sweeps. A schedule outlives versions of the code: one that was added by another version is planned again.
/// </summary>
internal sealed class SchedulePlans(PlanCache plans, ArtefactStore artefacts)
{
    /// <summary>The plan to submit now: SHA-256 of its summary.</summary>
    public async Task<string> FindAsync(Schedule schedule, CancellationToken cancellation)
    {
        if (schedule.PlannedBy == CodeVersion.Current) return schedule.Plan;
        try
        {
            var plan = await plans.GetAsync(schedule.Specification).WaitAsync(cancellation).ConfigureAwait(false);
            return await artefacts.WriteAsync(PlanSummary.Of(plan).Write(), cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is InputException or MissingArtefactException or JsonException)
        {
            return schedule.Plan; // the sweep fails for the same reason, where its user sees it
        }
    }
}

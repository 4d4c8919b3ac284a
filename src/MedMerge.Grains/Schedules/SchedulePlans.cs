using System.Text.Json;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;

namespace MedMerge.Grains.Schedules;

/// <summary>
/// The plans of schedules' sweeps. A schedule outlives versions of the code: one that was added by another version is planned again. So is
/// each run of one that recomputes, whose stages have keys of their own.
/// </summary>
internal sealed class SchedulePlans(PlanCache plans, ArtefactStore artefacts)
{
    /// <summary>What to submit for a run: the same on every node.</summary>
    /// <returns>SHA-256 of the frozen specification and of the plan's summary.</returns>
    public async Task<(string Specification, string Plan)> FindAsync(Schedule schedule, ScheduledRun run, CancellationToken cancellation)
    {
        if (schedule.PlannedBy == CodeVersion.Current && !schedule.Recomputes) return (schedule.Specification, schedule.Plan);
        try
        {
            var specification = schedule.Recomputes
                ? await WriteForAsync(schedule.Specification, run.SweepId(schedule.Name), cancellation).ConfigureAwait(false)
                : schedule.Specification;
            var plan = await plans.GetAsync(specification).WaitAsync(cancellation).ConfigureAwait(false);
            var summary = await artefacts.WriteAsync(PlanSummary.Of(plan).Write(), cancellation).ConfigureAwait(false);
            return (specification, summary);
        }
        catch (Exception error) when (error is InputException or MissingArtefactException or JsonException)
        {
            return (schedule.Specification, schedule.Plan); // the sweep fails for the same reason, where its user sees it
        }
    }

    /// <summary>Writes a specification whose stages are computed for one sweep.</summary>
    private async Task<string> WriteForAsync(string hash, string sweep, CancellationToken cancellation)
    {
        var shared = await plans.SpecificationAsync(hash).WaitAsync(cancellation).ConfigureAwait(false);
        var specification = shared with { Computation = sweep };
        return await artefacts.WriteAsync(FrozenSpecification.Write(specification), cancellation).ConfigureAwait(false);
    }
}

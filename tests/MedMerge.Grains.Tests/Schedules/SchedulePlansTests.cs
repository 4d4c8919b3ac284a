using MedMerge.Experiments.Planning;
using MedMerge.Grains.Schedules;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>Schedules that another version of the code has added, or whose runs compute everything again.</summary>
public sealed class SchedulePlansTests
{
    private static readonly ScheduledRun Run = new(DateTimeOffset.UnixEpoch);
    private readonly ArtefactStore _artefacts = new(new MemoryObjectStore(TimeProvider.System));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SchedulePlans Plans => new(new PlanCache(_artefacts), _artefacts);

    [Fact]
    public async Task What_another_version_has_planned_is_planned_again()
    {
        var plan = new SpecificationBuilder().BuildPlan();
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, _artefacts, Cancellation);
        var schedule = Create(DateTimeOffset.UnixEpoch) with { Specification = submission.Specification, Plan = "old" };
        Assert.Equal((submission.Specification, "old"), await Plans.FindAsync(schedule, Run, Cancellation));

        var (specification, hash) = await Plans.FindAsync(schedule with { PlannedBy = "another" }, Run, Cancellation);

        var planned = PlanSummary.Read(await _artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(plan.Stages.Select(stage => stage.Key), planned.Stages.Select(stage => stage.Key));
        Assert.Equal(plan.Trials.Count, planned.Trials.Count);
        Assert.Equal(submission.Specification, specification);
    }

    [Fact]
    public async Task Each_run_that_recomputes_has_stages_of_its_own_of_the_same_recipes_on_every_node()
    {
        var plan = new SpecificationBuilder().BuildPlan();
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, _artefacts, Cancellation);
        var schedule = Create(DateTimeOffset.UnixEpoch) with { Specification = submission.Specification, Recomputes = true };
        var next = Run with { Time = Run.Time.AddDays(1) };

        var (first, again, second) = (await PlanAsync(Run), await PlanAsync(Run), await PlanAsync(next));

        Assert.Equal(first.Select(stage => stage.Key), again.Select(stage => stage.Key));
        var keys = plan.Stages.Select(stage => stage.Key).ToList();
        foreach (var planned in new[] { first, second }) Assert.Equal(keys, planned.Select(stage => stage.Recipe));
        Assert.Equal(3 * keys.Count, keys.Concat(first.Concat(second).Select(stage => stage.Key)).Distinct().Count());

        async Task<IReadOnlyList<StageSummary>> PlanAsync(ScheduledRun run)
        {
            var (_, hash) = await Plans.FindAsync(schedule, run, Cancellation);
            return PlanSummary.Read(await _artefacts.ReadAsync(hash, Cancellation)).Stages;
        }
    }

    /// <summary>The sweep is submitted all the same, and fails with the reason.</summary>
    [Fact]
    public async Task What_can_not_be_planned_again_keeps_its_plan()
    {
        var old = await _artefacts.WriteAsync("{\"of\": \"another version\"}"u8.ToArray(), Cancellation);
        var schedule = Create(DateTimeOffset.UnixEpoch) with { Plan = "old", PlannedBy = "another" };
        Assert.Equal((old, "old"), await Plans.FindAsync(schedule with { Specification = old }, Run, Cancellation));
        var missing = new string('0', 64);
        Assert.Equal((missing, "old"), await Plans.FindAsync(schedule with { Specification = missing }, Run, Cancellation));
    }
}

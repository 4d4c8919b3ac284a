using MedMerge.Experiments.Planning;
using MedMerge.Grains.Schedules;
using MedMerge.Storage;
using MedMerge.Testing;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>Schedules that another version of the code has added.</summary>
public sealed class SchedulePlansTests
{
    private readonly ArtefactStore _artefacts = new(new MemoryObjectStore(TimeProvider.System));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SchedulePlans Plans => new(new PlanCache(_artefacts), _artefacts);

    [Fact]
    public async Task What_another_version_has_planned_is_planned_again()
    {
        var plan = new SpecificationBuilder().BuildPlan();
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, _artefacts, Cancellation);
        var schedule = Create(DateTimeOffset.UnixEpoch) with { Specification = submission.Specification, Plan = "old" };
        Assert.Equal("old", await Plans.FindAsync(schedule, Cancellation));

        var hash = await Plans.FindAsync(schedule with { PlannedBy = "another" }, Cancellation);

        var planned = PlanSummary.Read(await _artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(plan.Stages.Select(stage => stage.Key), planned.Stages.Select(stage => stage.Key));
        Assert.Equal(plan.Trials.Count, planned.Trials.Count);
    }

    /// <summary>The sweep is submitted all the same, and fails with the reason.</summary>
    [Fact]
    public async Task What_can_not_be_planned_again_keeps_its_plan()
    {
        var old = await _artefacts.WriteAsync("{\"of\": \"another version\"}"u8.ToArray(), Cancellation);
        var schedule = Create(DateTimeOffset.UnixEpoch) with { Plan = "old", PlannedBy = "another" };
        Assert.Equal("old", await Plans.FindAsync(schedule with { Specification = old }, Cancellation));
        Assert.Equal("old", await Plans.FindAsync(schedule with { Specification = new string('0', 64) }, Cancellation));
    }
}

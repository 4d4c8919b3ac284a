using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

/// <summary>Measured stages are found by the plans of the store's sweeps.</summary>
public class StagePacesTests
{
    private readonly MemoryObjectStore _objects = new(TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stages_of_the_same_kinds_are_found_with_their_costs()
    {
        var known = Summarise(new SpecificationBuilder { Methods = "[scratch]" });
        var timing = new StageTiming(3, IsResumed: false, "a processor");
        foreach (var stage in known.Stages) await SaveAsync(stage, timing);
        await KeepAsync("one", known);
        await KeepAsync("again", known); // the same stages count once
        var other = Summarise(new SpecificationBuilder { Methods = "[scratch]", Width = 0.25 });
        foreach (var stage in other.Stages) await SaveAsync(stage, timing);
        await KeepAsync("other-network", other);

        var measured = await ReadAsync(Summarise(new SpecificationBuilder { Methods = "[scratch]", Seeds = 3 }));

        var expected = known.Stages.Where(stage => stage.Cost > 0).Select(stage => (stage.Name, stage.Cost)).Order();
        Assert.Equal(expected, measured.Select(stage => (stage.Kind.Name, stage.Cost)).Order());
        Assert.All(measured, stage => Assert.Equal(timing, stage.Timing));
        Assert.All(measured, stage => Assert.Equal("resnet20 (width 0.125)", stage.Kind.Network));
    }

    [Fact]
    public async Task What_is_damaged_or_was_not_measured_is_left_out()
    {
        var known = Summarise(new SpecificationBuilder { Methods = "[scratch]" });
        foreach (var stage in known.Stages) await SaveAsync(stage, timing: null);
        await KeepAsync("unmeasured", known);
        var planless = await new ArtefactStore(_objects).WriteAsync("{}"u8.ToArray(), Cancellation);
        await KeepAsync("by-another-version", planless);
        await KeepAsync("lost", ContentHash.Of("nothing"u8));
        await KeepAsync("damaged", known);
        var (_, etag) = (await new SweepStore(_objects).FindAsync("damaged", Cancellation))!.Value;
        await _objects.TryReplaceAsync(SweepStore.Prefix + "damaged", "{"u8.ToArray(), etag, Cancellation);

        Assert.Empty(await ReadAsync(known));
    }

    private static PlanSummary Summarise(SpecificationBuilder specification) => PlanSummary.Of(specification.BuildPlan());

    private Task<IReadOnlyList<MeasuredStage>> ReadAsync(PlanSummary plan) => new StagePaces(_objects).ReadAsync(plan, Cancellation);

    private Task SaveAsync(StageSummary stage, StageTiming? timing)
    {
        var output = new StageOutput(new Dictionary<string, byte[]> { ["a"] = [1] }) { Timing = timing };
        return new StageStore(_objects).SaveAsync(stage.Key, stage.Name, output, Cancellation);
    }

    private async Task KeepAsync(string id, PlanSummary plan) =>
        await KeepAsync(id, await new ArtefactStore(_objects).WriteAsync(plan.Write(), Cancellation));

    private async Task KeepAsync(string id, string plan)
    {
        var record = new SweepRecord(id, plan, plan, [], WorkState.Done, DateTimeOffset.UnixEpoch, SweepTrials.None);
        await new SweepStore(_objects).TryCreateAsync(id, record, Cancellation);
    }
}

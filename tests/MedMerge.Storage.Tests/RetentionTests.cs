using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Testing;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Storage.Tests;

/// <summary>What sweeps take of a store, and what removing them leaves.</summary>
public sealed class RetentionTests
{
    private const int FileSize = 1000;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly MemoryObjectStore _objects;
    private readonly SweepStore _sweeps;
    private readonly StageStore _stages;

    public RetentionTests()
    {
        _objects = new MemoryObjectStore(_time);
        _sweeps = new SweepStore(_objects);
        _stages = new StageStore(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_removed_sweep_takes_with_it_what_only_it_used()
    {
        await CreateAsync("one", ["own", "shared"]);
        await CreateAsync("two", ["shared", "other"]);
        await _stages.Checkpoints("own").SaveAsync([1], Cancellation);
        var usage = await StoreUsage.ReadAsync(_objects, Cancellation);
        var one = usage.Sweeps.Single(sweep => sweep.Id == "one");
        Assert.InRange(one.Bytes, 2 * FileSize, 3 * FileSize);
        Assert.InRange(one.OwnBytes, FileSize, 2 * FileSize);
        Assert.Equal(3 * FileSize, usage.Outputs);

        Assert.True(await new SweepRemoval(_objects).RemoveAsync("one", Cancellation));

        Assert.Equal(["other", "shared"], (await _stages.KeysAsync(Cancellation)).Order());
        Assert.Null(await _stages.Checkpoints("own").LoadAsync(Cancellation));
        Assert.Equal(["two"], await _sweeps.ListAsync(Cancellation));
        _time.Advance(TimeSpan.FromDays(2));
        await StoreMaintenance.CollectAsync(_objects, TimeSpan.FromDays(1), _time, Cancellation);
        Assert.Equal(2 * FileSize, (await StoreUsage.ReadAsync(_objects, Cancellation)).Outputs);
        Assert.Empty((await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
        Assert.True(await new SweepRemoval(_objects).RemoveAsync("one", Cancellation)); // again
    }

    [Fact]
    public async Task A_sweep_that_has_not_ended_is_not_removed()
    {
        await CreateAsync("running", ["stage"], WorkState.Running);
        Assert.False(await new SweepRemoval(_objects).RemoveAsync("running", Cancellation));
        _time.Advance(TimeSpan.FromDays(400));
        Assert.Empty(await new Retention(TimeSpan.FromDays(1), 0).ApplyAsync(_objects, isDryRun: false, _time, Cancellation));
        Assert.True(await _stages.HasAsync("stage", Cancellation));
    }

    [Fact]
    public async Task Sweeps_go_by_age_or_by_size_the_oldest_first_and_a_dry_run_removes_nothing()
    {
        foreach (var id in new[] { "a", "b", "c" })
        {
            await CreateAsync(id, [$"{id}1", $"{id}2"]);
            _time.Advance(TimeSpan.FromDays(10));
        }
        var bySize = new Retention(null, 5 * FileSize);
        Assert.Equal(["a", "b"], Ids(await new Retention(TimeSpan.FromDays(15), null).ApplyAsync(_objects, true, _time, Cancellation)));
        Assert.Equal(["a"], Ids(await bySize.ApplyAsync(_objects, isDryRun: true, _time, Cancellation)));
        Assert.Equal(["a", "b", "c"], await _sweeps.ListAsync(Cancellation));

        Assert.Equal(["a"], Ids(await bySize.ApplyAsync(_objects, isDryRun: false, _time, Cancellation)));
        Assert.Equal(["b", "c"], await _sweeps.ListAsync(Cancellation));
        Assert.Empty(await bySize.ApplyAsync(_objects, isDryRun: false, _time, Cancellation));

        static IEnumerable<string> Ids(IEnumerable<SweepUsage> sweeps) => sweeps.Select(sweep => sweep.Id);
    }

    private async Task CreateAsync(string id, string[] stages, WorkState state = WorkState.Done)
    {
        var artefacts = new ArtefactStore(_objects);
        var summaries = stages.Select(key => new StageSummary(key, "stage", 1)).ToList();
        var plan = await artefacts.WriteAsync(new PlanSummary(id, null, [], summaries, [], []).Write(), Cancellation);
        var specification = await artefacts.WriteAsync(new[] { (byte)id.Length, (byte)id[0] }, Cancellation);
        foreach (var key in stages)
        {
            var content = new byte[FileSize];
            content[0] = (byte)key[0];
            content[1] = (byte)key[^1];
            var output = new StageOutput(new Dictionary<string, byte[]> { ["file"] = content });
            await _stages.SaveAsync(key, "stage", output, Cancellation);
        }
        var record = new SweepRecord(id, specification, plan, [], state, _time.GetUtcNow(), SweepTrials.None);
        await _sweeps.TryCreateAsync(id, record, Cancellation);
    }
}

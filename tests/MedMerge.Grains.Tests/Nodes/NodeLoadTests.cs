using MedMerge.Grains.Nodes;

namespace MedMerge.Grains.Tests.Nodes;

/// <summary>However many sweeps there are, a device runs few stages at a time.</summary>
public sealed class NodeLoadTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private const int MaxStages = 2;

    private readonly NodeLoad _load = new(MaxStages);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stage_waits_for_its_turn_and_counts_meanwhile_so_that_others_go_elsewhere()
    {
        var running = new List<IDisposable>();
        for (var stage = 0; stage < MaxStages; stage++) running.Add(await _load.AdmitAsync($"{stage}", Cancellation));
        var next = _load.AdmitAsync("next", Cancellation);

        Assert.False(next.IsCompleted);
        Assert.Equal(MaxStages + 1, _load.CountExcluding("none"));
        running[0].Dispose();
        running.Add(await next.WaitAsync(Deadline, Cancellation));
        Assert.Equal(MaxStages, _load.CountExcluding("none"));
        foreach (var turn in running.Skip(1)) turn.Dispose();
        Assert.Equal(0, _load.CountExcluding("none"));
    }

    [Fact]
    public async Task A_stage_that_is_cancelled_while_it_waits_takes_no_turn()
    {
        var running = new List<IDisposable>();
        for (var stage = 0; stage < MaxStages; stage++) running.Add(await _load.AdmitAsync($"{stage}", Cancellation));
        using var cancel = new CancellationTokenSource();
        var waiting = _load.AdmitAsync("waiting", cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline, Cancellation));

        Assert.Equal(MaxStages, _load.CountExcluding("none"));
        foreach (var turn in running) turn.Dispose();
        for (var stage = 0; stage < MaxStages; stage++) Assert.True(_load.AdmitAsync($"{stage}", Cancellation).IsCompleted);
    }

    /// <summary>A shard belongs to a stage that runs: where it waited for stages that wait for theirs, nothing would end.</summary>
    [Fact]
    public async Task Shards_do_not_wait()
    {
        for (var stage = 0; stage < MaxStages; stage++) await _load.AdmitAsync($"{stage}", Cancellation);
        using var shard = _load.Add("shard");
        Assert.Equal(MaxStages + 1, _load.CountExcluding("none"));
    }
}

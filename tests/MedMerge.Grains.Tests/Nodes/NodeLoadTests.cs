using MedMerge.Grains.Nodes;

namespace MedMerge.Grains.Tests.Nodes;

/// <summary>However many sweeps there are, a device runs few stages at a time.</summary>
public sealed class NodeLoadTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private const int MaxStages = 2;

    private readonly NodeLoad _load =
        new(new NodeCapacity(MaxStages, IsByCore: false, Memory: long.MaxValue), overlapsLoading: false);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stage_waits_for_its_turn_and_counts_meanwhile_so_that_others_go_elsewhere()
    {
        var running = new List<IDisposable>();
        for (var stage = 0; stage < MaxStages; stage++) running.Add(await AdmitAsync($"{stage}"));
        var next = AdmitAsync("next");

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
        for (var stage = 0; stage < MaxStages; stage++) running.Add(await AdmitAsync($"{stage}"));
        using var cancel = new CancellationTokenSource();
        var waiting = _load.AdmitAsync("waiting", threads: 1, memory: 0, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline, Cancellation));

        Assert.Equal(MaxStages, _load.CountExcluding("none"));
        foreach (var turn in running) turn.Dispose();
        for (var stage = 0; stage < MaxStages; stage++) Assert.True(AdmitAsync($"{stage}").IsCompleted);
    }

    /// <summary>A shard belongs to a stage that runs: where it waited for stages that wait for theirs, nothing would end.</summary>
    [Fact]
    public async Task Shards_do_not_wait()
    {
        for (var stage = 0; stage < MaxStages; stage++) await AdmitAsync($"{stage}");
        using var shard = _load.Add("shard");
        Assert.Equal(MaxStages + 1, _load.CountExcluding("none"));
    }

    [Fact]
    public async Task A_cpus_stages_take_as_many_cores_as_they_have_threads_in_the_order_of_their_arrival()
    {
        var load = new NodeLoad(new NodeCapacity(4, IsByCore: true, Memory: long.MaxValue), overlapsLoading: false);
        var one = await load.AdmitAsync("one", threads: 1, memory: 0, Cancellation);
        var two = await load.AdmitAsync("two", threads: 2, memory: 0, Cancellation);
        var wide = load.AdmitAsync("wide", threads: 64, memory: 0, Cancellation); // as much as the machine has
        var small = load.AdmitAsync("small", threads: 1, memory: 0, Cancellation);

        Assert.False(wide.IsCompleted);
        Assert.False(small.IsCompleted); // it would keep the wide one waiting for ever
        one.Dispose();
        Assert.False(wide.IsCompleted);
        two.Dispose();
        (await wide.WaitAsync(Deadline, Cancellation)).Dispose();
        await small.WaitAsync(Deadline, Cancellation);
    }

    [Fact]
    public async Task Stages_that_do_not_fit_in_memory_wait_and_one_alone_runs_all_the_same()
    {
        var load = new NodeLoad(new NodeCapacity(8, IsByCore: false, Memory: 100), overlapsLoading: false);
        var large = await load.AdmitAsync("large", threads: 1, memory: 101, Cancellation);
        var next = load.AdmitAsync("next", threads: 1, memory: 60, Cancellation);
        Assert.False(next.IsCompleted);
        large.Dispose();
        await next.WaitAsync(Deadline, Cancellation);
        await load.AdmitAsync("fits", threads: 1, memory: 40, Cancellation).WaitAsync(Deadline, Cancellation);
        Assert.False(load.AdmitAsync("other", threads: 1, memory: 1, Cancellation).IsCompleted);
    }

    [Fact]
    public async Task A_shards_session_takes_room_and_waits_for_none()
    {
        var load = new NodeLoad(new NodeCapacity(1, IsByCore: false, Memory: long.MaxValue), overlapsLoading: false);
        using var stage = await load.AdmitAsync("stage", threads: 1, memory: 0, Cancellation);
        var session = load.Occupy(threads: 1, memory: 0);
        stage.Dispose();
        var next = load.AdmitAsync("next", threads: 1, memory: 0, Cancellation);
        Assert.False(next.IsCompleted);
        session.Dispose();
        await next.WaitAsync(Deadline, Cancellation);
    }

    [Fact]
    public void One_stage_more_than_there_are_lanes_loads_meanwhile()
    {
        var load = new NodeLoad(new NodeCapacity(2, IsByCore: true, Memory: long.MaxValue), overlapsLoading: true);
        for (var stage = 0; stage < 3; stage++)
            Assert.True(load.AdmitAsync($"{stage}", threads: 1, memory: 0, Cancellation).IsCompleted);
        Assert.False(load.AdmitAsync("fourth", threads: 1, memory: 0, Cancellation).IsCompleted);
    }

    private Task<IDisposable> AdmitAsync(string stage) => _load.AdmitAsync(stage, threads: 1, memory: 0, Cancellation);
}

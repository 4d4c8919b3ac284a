using MedMerge.Grains.Running;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Testing;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Sweeps that run at the same time, each on its own node, through the grain that they share.</summary>
public sealed class LaneSharesTests
{
    private const int Nodes = 8; // of one lane each
    private readonly FakeTimeProvider _time = new();
    private readonly FakeMembership _membership = new();
    private readonly LaneShareGrain _grain;

    public LaneSharesTests()
    {
        _grain = new LaneShareGrain(_time);
        for (var node = 1; node <= Nodes; node++) _membership.Join(node);
    }

    [Fact]
    public async Task They_have_as_many_lanes_each_and_what_one_leaves_is_the_others()
    {
        var (first, second) = (new Sweep(this, "first", priority: 0), new Sweep(this, "second", priority: 0));
        Assert.Equal(Nodes, await first.AskAsync());
        Assert.Equal(Nodes / 2, await second.AskAsync());
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(Nodes / 2, await first.AskAsync());

        // The second ends: it does not ask any more.
        for (var seconds = 0; seconds < 12; seconds += 3)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            await first.AskAsync();
        }
        Assert.Equal(Nodes, await first.AskAsync());
    }

    [Fact]
    public async Task The_more_urgent_one_has_what_it_wants()
    {
        var (usual, urgent) = (new Sweep(this, "usual", priority: 0), new Sweep(this, "urgent", priority: 1, trials: 5));
        Assert.Equal(Nodes, await usual.AskAsync());
        Assert.Equal(5, await urgent.AskAsync());
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(Nodes - 5, await usual.AskAsync());
    }

    [Fact]
    public async Task A_sweep_with_a_limit_leaves_the_rest()
    {
        var (narrow, wide) = (new Sweep(this, "narrow", priority: 0, parallel: 1), new Sweep(this, "wide", priority: 0));
        Assert.Equal(1, await narrow.AskAsync());
        Assert.Equal(Nodes - 1, await wide.AskAsync());
    }

    /// <summary>A sweep on a node of its own.</summary>
    private sealed class Sweep
    {
        private readonly LaneShares _shares;
        private readonly SweepState _state;

        public Sweep(LaneSharesTests test, string id, int priority, int trials = 100, int? parallel = null)
        {
            var record = SweepRecord.Start(id, "specification", "plan", [], [], DateTimeOffset.UnixEpoch, trace: null)
                .Planned(trials, new SweepLimits(parallel, priority));
            _state = new SweepState(id, record, "etag", new SweepStore(new MemoryObjectStore(test._time)), test._time);
            _shares = new LaneShares(test._membership.View, FakeGrains.Create((_, _) => test._grain), test._time);
        }

        public Task<int> AskAsync() => _shares.GetAsync(_state, [DeviceName.Kind(TestDevice.Name)], threads: 1);
    }
}

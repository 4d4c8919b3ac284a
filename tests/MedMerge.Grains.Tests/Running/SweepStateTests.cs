using MedMerge.Grains.Running;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Changes that come together, and those who follow them.</summary>
public sealed class SweepStateTests : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private PausingObjectStore _store = null!;
    private SweepOfFakes _sweep = null!;
    private SweepState _state = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _sweep = await SweepOfFakes.CreateAsync(objects => _store = new PausingObjectStore(objects));
        _state = await _sweep.LoadStateAsync();
        await _state.WriteAsync(record => record.Planned(100, SweepLimits.None));
    }

    public ValueTask DisposeAsync()
    {
        _sweep.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Changes_that_come_while_one_is_written_are_written_together()
    {
        var write = _store.StopAt($"replace sweeps/{SweepOfFakes.Id}");
        var first = _state.WriteTrialAsync(1, trial => trial.Started(trace: null));
        await write.Reached.WaitAsync(Deadline, Cancellation);
        var etag = _state.ETag;
        var others = Enumerable.Range(2, 99).Select(number => _state.WriteTrialAsync(number, trial => trial.Started(trace: null))).ToList();
        var bad = _state.WriteTrialAsync(101, trial => trial.Started(trace: null));
        Assert.Equal(0, _state.Record.Trials.Counts.Running); // not in the store yet, so not so
        write.Release();
        await first;
        Assert.NotEqual(etag, _state.ETag);
        await Task.WhenAll(others).WaitAsync(Deadline, Cancellation);

        Assert.Equal(100, (await _sweep.RecordAsync()).Trials.Counts.Running);
        Assert.Equal(3, _state.Version); // the plan's, the first's, and all others'
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => bad); // and it stands in no other's way
    }

    [Fact]
    public async Task What_changed_is_told_in_order_and_once()
    {
        foreach (var number in new[] { 5, 3, 5, 9 }) _state.NotifyChanged(number);
        Assert.Equal([3, 5], _state.ChangedAfter(0, 2, out var position));
        Assert.Equal([9], _state.ChangedAfter(position, 2, out position));
        Assert.Empty(_state.ChangedAfter(position, 2, out var last));
        Assert.Equal(position, last);
        await _state.WriteTrialAsync(3, trial => trial.Cancelled("why"));
        Assert.Equal([3], _state.ChangedAfter(last, 2, out _));
    }
}

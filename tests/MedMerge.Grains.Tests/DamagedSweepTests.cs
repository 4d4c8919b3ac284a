using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests;

/// <summary>A sweep that can't be run any more can still be ended.</summary>
public sealed class DamagedSweepTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-damaged-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Cancelling_a_sweep_whose_record_is_damaged_ends_the_tries_to_wake_it()
    {
        var objects = new FolderObjectStore(_folder);
        var sweeps = new SweepStore(objects);
        var record = SweepRecord.Start("s", "spec", "plan", [], [], DateTimeOffset.UnixEpoch, trace: null);
        await sweeps.TryCreateAsync("s", record, Cancellation);
        await File.AppendAllTextAsync(Path.Combine(_folder, "sweeps", "s"), " ", Cancellation);
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, Cancellation);

        var status = await cluster.Grains.GetGrain<ISweepGrain>("s").CancelAsync();

        Assert.Equal(WorkState.Damaged, status.State);
        Assert.Contains("'s' is damaged", status.Reason, StringComparison.Ordinal);
        Assert.Empty(await sweeps.ActiveAsync(Cancellation));
    }

    [Fact]
    public async Task A_sweep_whose_plan_is_missing_says_so_and_can_be_cancelled()
    {
        var objects = new FolderObjectStore(_folder);
        var sweeps = new SweepStore(objects);
        var record = SweepRecord.Start("s", "spec", ContentHash.Of("a plan"), [], [], DateTimeOffset.UnixEpoch, trace: null);
        await sweeps.TryCreateAsync("s", record, Cancellation);
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, Cancellation);
        var sweep = cluster.Grains.GetGrain<ISweepGrain>("s");

        await sweep.WakeAsync();
        var running = await sweep.StatusAsync(-1);
        var cancelled = await sweep.CancelAsync();

        Assert.Equal(WorkState.Running, running.State);
        Assert.Contains("is missing in the store or damaged", running.Reason, StringComparison.Ordinal);
        Assert.Equal(WorkState.Cancelled, cancelled.State);
        Assert.Empty(await sweeps.ActiveAsync(Cancellation));
    }
}

using MedMerge.Grains.Running;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Two clusters on one store, or a cluster and <c>medmerge run</c>.</summary>
public sealed class SweepOwnershipTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sweep_that_another_cluster_runs_is_left_to_it_for_as_long_as_it_renews()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        var owner = await sweep.LoadAsync(sweep.OwnershipOf("a"));
        await owner.EnsureRunningAsync();
        await sweep.Trial(1).Calls.PendingAsync();
        var ownership = sweep.OwnershipOf("b");

        for (var waited = TimeSpan.Zero; waited < 3 * SweepOwnership.Lease; waited += SweepOwnership.RenewalInterval)
        {
            var before = (await sweep.Sweeps.FindAsync(SweepOfFakes.Id, Cancellation))!.Value.ETag;
            var other = await sweep.LoadAsync(ownership);
            await other.EnsureRunningAsync();
            Assert.Equal("It is run by 'a'.", (await other.StatusAsync(-1)).Reason);
            Assert.Equal("a", (await sweep.RecordAsync()).Owner);
            while ((await sweep.Sweeps.FindAsync(SweepOfFakes.Id, Cancellation))!.Value.ETag == before)
                sweep.Time.Advance(TimeSpan.FromSeconds(2)); // the owner renews
        }
        await sweep.WhileRunningAsync(1, owner.LeaveAsync);
        Assert.False(owner.IsStale);
    }

    [Fact]
    public async Task A_sweep_whose_owner_is_gone_is_taken_once_the_lease_has_expired()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        await sweep.OwnershipOf("a").TakeAsync(await sweep.LoadStateAsync()); // and is killed
        var ownership = sweep.OwnershipOf("b");

        await (await sweep.LoadAsync(ownership)).EnsureRunningAsync();
        sweep.Time.Advance(SweepOwnership.Lease - TimeSpan.FromSeconds(1));
        await (await sweep.LoadAsync(ownership)).EnsureRunningAsync();
        Assert.Equal("a", (await sweep.RecordAsync()).Owner);

        sweep.Time.Advance(TimeSpan.FromSeconds(1));
        var next = await sweep.LoadAsync(ownership);
        await next.EnsureRunningAsync();
        Assert.Equal("b", (await sweep.RecordAsync()).Owner);
        await sweep.WhileRunningAsync(1, next.LeaveAsync);
    }

    [Fact]
    public async Task An_owner_that_leaves_or_is_paused_gives_the_sweep_up_at_once()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        foreach (var (cluster, next) in new[] { ("a", "b"), ("b", "c") })
        {
            var controller = await sweep.LoadAsync(sweep.OwnershipOf(cluster));
            await controller.EnsureRunningAsync();
            Assert.Equal(cluster, (await sweep.RecordAsync()).Owner);
            await sweep.WhileRunningAsync(1, controller.LeaveAsync);
            Assert.Null((await sweep.RecordAsync()).Owner);
            Assert.True(sweep.OwnershipOf(next).MayRun(await sweep.RecordAsync(), "etag"));
        }
        var last = await sweep.LoadAsync();
        await last.EnsureRunningAsync();
        await sweep.WhileRunningAsync(1, () => last.ChangeAsync(SweepAction.Pause));
        Assert.Null((await sweep.RecordAsync()).Owner);
    }
}

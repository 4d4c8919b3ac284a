using MedMerge.Grains.Nodes;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Tests.Nodes;

public sealed class DevicesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_stage_has_a_thread_of_its_own_until_there_are_no_more_and_then_the_idlest()
    {
        await using var devices = new Devices(Options.Create(new NodeOptions()), new NodeCapacity(2, IsByCore: true, Memory: 0));
        using var first = devices.Take(1);
        var second = devices.Take(1);
        using var third = devices.Take(1);
        var threads = new[] { await ThreadOf(first), await ThreadOf(second), await ThreadOf(third) };

        Assert.NotEqual(threads[0], threads[1]);
        Assert.Equal(threads[0], threads[2]);
        second.Dispose();
        second.Dispose(); // counts once
        using var fourth = devices.Take(1);
        Assert.Equal(threads[1], await ThreadOf(fourth));

        static Task<int> ThreadOf(LaneLease lane) => lane.Thread.RunAsync(() => Environment.CurrentManagedThreadId, Cancellation);
    }

    [Fact]
    public async Task Lanes_compute_at_the_same_time()
    {
        await using var devices = new Devices(Options.Create(new NodeOptions()), new NodeCapacity(2, IsByCore: true, Memory: 0));
        using var one = devices.Take(1);
        using var other = devices.Take(1);
        using var meeting = new Barrier(2);
        bool Meet() => meeting.SignalAndWait(TimeSpan.FromSeconds(60), Cancellation);

        var met = await Task.WhenAll(one.Thread.RunAsync(Meet, Cancellation), other.Thread.RunAsync(Meet, Cancellation));

        Assert.All(met, Assert.True);
    }
}

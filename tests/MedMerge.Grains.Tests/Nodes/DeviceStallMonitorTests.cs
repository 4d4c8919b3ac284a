using MedMerge.Grains.Nodes;
using MedMerge.Tensors;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Tests.Nodes;

/// <summary>A node whose device hangs leaves; one whose device is merely busy does not.</summary>
public sealed class DeviceStallMonitorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Long_work_is_a_hung_device_where_it_gives_no_sign(bool yields)
    {
        var options = Options.Create(new NodeOptions { StallDeadline = TimeSpan.FromSeconds(2) });
        await using var devices = new Devices(options, NodeCapacity.Of(options.Value));
        var deviceHealth = new DeviceHealth();
        using var watch = new DeviceStallMonitor(devices, deviceHealth, options, TimeProvider.System);
        await watch.StartAsync(Cancellation);
        using var end = new ManualResetEventSlim();
        var work = devices.Borrow(1).RunAsync(() =>
        {
            while (!end.Wait(50, Cancellation))
                if (yields) DeviceThread.Yield(Cancellation);
        }, Cancellation);

        if (yields)
        {
            await Task.Delay(TimeSpan.FromSeconds(4), Cancellation); // twice as long as the deadline
            Assert.False(deviceHealth.Unfit.IsCancellationRequested);
        }
        else
        {
            var left = new TaskCompletionSource();
            await using var registration = deviceHealth.Unfit.Register(left.SetResult);
            await left.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
            Assert.Contains("has not finished a step", deviceHealth.Reason, StringComparison.Ordinal);
        }
        end.Set();
        await work;
        var isIdle = SpinWait.SpinUntil(() => devices.TimeSinceProgress == TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.True(isIdle, "The device is idle, but its time since progress is not zero.");
        await watch.StopAsync(Cancellation);
    }
}

using System.Diagnostics;
using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Tests.Tensors;

/// <summary>One thread a device, and who goes first there.</summary>
public sealed class DeviceThreadTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Long_work_that_yields_lets_waiting_work_go_first_with_gradients_of_its_own()
    {
        await using var device = new DeviceThread(TestDevice.Name, 1);
        using var begun = new ManualResetEventSlim();
        var served = false;
        var outer = device.RunAsync(() =>
        {
            using var inference = torch.no_grad();
            var kept = torch.ones(3);
            begun.Set();
            while (!served) DeviceThread.Yield(Cancellation); // ends only because the other is served in between
            return (Sum: kept.sum().item<float>(), Gradients: torch.is_grad_enabled());
        }, Cancellation);
        begun.Wait(Cancellation);
        var waiting = device.RunAsync(() =>
        {
            served = true;
            return torch.is_grad_enabled();
        }, Cancellation);

        Assert.True(await waiting);
        Assert.Equal((3f, false), await outer);
    }

    /// <summary>Work that queues itself again, as slices of fine-tuning do, delays the caller but never starves it.</summary>
    [Fact]
    public async Task Work_that_comes_again_and_again_does_not_starve_longWorkwork()
    {
        await using var device = new DeviceThread(TestDevice.Name, 1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var begun = new ManualResetEventSlim();
        var slices = 0;
        var outer = device.RunAsync(() =>
        {
            begun.Set();
            while (Volatile.Read(ref slices) < 50) DeviceThread.Yield(Cancellation);
        }, Cancellation);
        begun.Wait(Cancellation);
        var other = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await device.RunAsync(() => Interlocked.Increment(ref slices), Cancellation);
        }, Cancellation);
        await outer;
        await stop.CancelAsync();
        await other;
    }

    /// <summary>Sums depend on the number of libtorch's threads, so each piece of work keeps its own, also after it yielded.</summary>
    [Fact]
    public async Task Every_piece_of_work_has_the_number_of_threads_that_it_asks_for()
    {
        await using var one = new DeviceThread(TestDevice.Name, 1);
        var two = one.ForThreads(2);
        using var begun = new ManualResetEventSlim();
        var served = false;
        var outer = one.RunAsync(() =>
        {
            begun.Set();
            while (!served) DeviceThread.Yield(Cancellation);
            return torch.get_num_threads();
        }, Cancellation);
        begun.Wait(Cancellation);
        Assert.Equal(2, await two.RunAsync(() =>
        {
            served = true;
            return torch.get_num_threads();
        }, Cancellation));
        Assert.Equal(1, await outer);
        Assert.Equal(2, await two.RunAsync(torch.get_num_threads, Cancellation));
    }

    /// <summary>Of work inside other work each counts its own time, so that times of stages that share a thread can be added.</summary>
    [Fact]
    public async Task Worked_time_excludes_other_work_that_runs_in_between()
    {
        await using var outer = new DeviceThread(TestDevice.Name, 1);
        var inner = outer.ForThreads(1);
        using var begun = new ManualResetEventSlim();
        var served = false;
        var start = Stopwatch.GetTimestamp();
        var longWork = outer.RunAsync(() =>
        {
            begun.Set();
            while (!served) DeviceThread.Yield(Cancellation);
        }, Cancellation);
        begun.Wait(Cancellation);
        var innerTime = await inner.RunAsync(() =>
        {
            var begin = Stopwatch.GetTimestamp();
            SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(begin).TotalMilliseconds > 20);
            served = true;
            return Stopwatch.GetElapsedTime(begin);
        }, Cancellation);
        await longWork;

        Assert.True(inner.WorkedTime >= innerTime);
        Assert.True(outer.WorkedTime > TimeSpan.Zero);
        Assert.True(outer.WorkedTime + inner.WorkedTime <= Stopwatch.GetElapsedTime(start));
    }

    [Fact]
    public async Task Cancelled_work_ends_where_it_yields()
    {
        await using var device = new DeviceThread(TestDevice.Name, 1);
        using var cancel = new CancellationTokenSource();
        using var begun = new ManualResetEventSlim();
        var work = device.RunAsync(() =>
        {
            begun.Set();
            while (true) DeviceThread.Yield(cancel.Token);
        }, Cancellation);
        begun.Wait(Cancellation);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
        Assert.Equal(1, await device.RunAsync(() => 1, Cancellation)); // the thread goes on
    }
}

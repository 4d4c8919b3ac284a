using System.Diagnostics;
using System.Diagnostics.Metrics;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests;

/// <summary>Grain turns never compute: the cluster answers at once while its device is at work.</summary>
public sealed class PingTests(ITestOutputHelper output) : IDisposable
{
    private const int Pings = 400;
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-ping-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task While_the_device_computes_grains_answer_within_50_ms_and_no_turn_is_long()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var longTurns = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "orleans-scheduler-long-running-turns") listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<int>((_, value, _, _) => Interlocked.Add(ref longTurns, value));
        meters.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref longTurns, value));
        meters.Start();

        var objects = new FolderObjectStore(Path.Combine(_folder, "store"));
        var specification = new SpecificationBuilder
        {
            Width = 1,
            Images = 200,
            Methods = "[medmerge]",
            KernelWeights = "{ epochs: 500, batchSize: 16, shards: 4 }",
        };
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, cancellation);
        var sweep = await LocalSweep.StartAsync(cluster, objects, specification);
        while ((await sweep.StatusAsync(-1)).Running.All(trial => trial.Progress is not { Stage: "weigh", Epoch: >= 1 }))
            await Task.Delay(50, cancellation);

        var times = new List<double>();
        for (var i = 0; i < Pings; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await sweep.StatusAsync(-1);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await Task.Delay(5, cancellation);
        }
        times.Sort();
        var (median, most, longest) = (times[Pings / 2], times[Pings * 99 / 100], times[^1]);
        output.WriteLine($"median {median:0.00} ms, 99 % {most:0.00} ms, longest {longest:0.00} ms; {longTurns} long turns");

        Assert.Equal(0, (await sweep.PauseAsync()).Counts.Done); // it was running all the while
        Assert.True(most < 50, $"99 % of the answers came within {most:0.0} ms.");
        Assert.Equal(0, longTurns);
    }
}

using System.Collections.Concurrent;

namespace MedMerge.Grains.Tests.Running;

/// <summary>The decisions about a sweep under random histories. A seed that fails is named, and fails again by itself.</summary>
public sealed class SweepHistoryTests(ITestOutputHelper output)
{
    private const int Histories = 100_000;
    private const int Steps = 60;

    [Fact]
    public void Whatever_happens_no_result_is_lost_nothing_runs_twice_and_every_history_ends()
    {
        var failures = new ConcurrentQueue<string>();
        // Other tests run beside it, some of them against the clock.
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount - 1) };
        Parallel.For(0, Histories, options, (seed, loop) =>
        {
            try
            {
                // Where nothing happens that may change what becomes of a trial, the search decides as it does undisturbed.
                var isHarmless = seed % 2 == 0;
                var history = SweepHistory.Live((ulong)seed, isHarmless, Steps);
                if (isHarmless) Assert.Equal(SweepHistory.Live((ulong)seed, isHarmless, steps: 0).Outcome, history.Outcome);
            }
            catch (Exception error)
            {
                failures.Enqueue($"seed {seed}: {error.Message}");
                if (failures.Count >= 5) loop.Stop();
            }
        });
        output.WriteLine($"{Histories} histories of {Steps} steps of trouble each, and their ends");
        Assert.True(failures.IsEmpty, string.Join('\n', failures));
    }
}

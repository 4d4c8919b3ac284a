using System.Diagnostics;
using MedMerge.Telemetry;

namespace MedMerge.Training;

/// <summary>Waits for all shards of a step, and measures how unevenly they answer.</summary>
internal static class ShardWait
{
    /// <summary>An answer that takes so many times its step's median is a straggler's.</summary>
    private const int Straggling = 2;

    /// <summary>Asks every shard at the same time.</summary>
    public static async Task<T[]> AllAsync<T>(int shards, Func<int, Task<T>> ask)
    {
        var seconds = new double[shards];
        var answers = await Task.WhenAll(Enumerable.Range(0, shards).Select(AskAsync)).ConfigureAwait(false);
        if (shards > 1)
        {
            Array.Sort(seconds);
            Instruments.ShardWait.Record(seconds[^1] - seconds[0]);
            var limit = Straggling * seconds[(shards - 1) / 2];
            if (seconds.Count(taken => taken > limit) is > 0 and var stragglers) Instruments.Stragglers.Add(stragglers);
        }
        return answers;

        async Task<T> AskAsync(int shard)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await ask(shard).ConfigureAwait(false);
            seconds[shard] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return answer;
        }
    }
}

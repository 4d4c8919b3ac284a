using System.Diagnostics;
using MedMerge.Telemetry;

namespace MedMerge.Training;

/// <summary>Images and summed loss of one step over all shards.</summary>
/// <param name="Images">How many images the step was over.</param>
/// <param name="Loss">Sum of their cross-entropies, in nats.</param>
internal readonly record struct ShardTotal(int Images, double Loss);

/// <summary>
/// The sum over shards: all are asked at the same time, and their parts are added in shard order, whatever order the answers come in.
/// So the sum's bits depend on the number of shards, and not on where they are or how fast they answer.
/// </summary>
internal static class ShardReduction
{
    /// <summary>A shard that takes this many times the median of its step counts as a straggler.</summary>
    private const int StragglerFactor = 2;

    /// <summary>Asks every shard for its part of <paramref name="step"/> and adds the parts up.</summary>
    /// <param name="add">Adds one part; called in shard order, on one thread.</param>
    /// <exception cref="InvalidOperationException">A worker answered for another step or shard.</exception>
    public static async Task<ShardTotal> SumInOrderAsync<TStep, TGradient>(
        IShardWorkers<TStep, TGradient> workers,
        TStep step,
        Action<TGradient> add,
        CancellationToken cancellation)
        where TStep : IShardStep
        where TGradient : IShardGradient
    {
        var parts = await AllAsync(workers.Shards, shard => workers.GradientAsync(shard, step, cancellation)).ConfigureAwait(false);
        var images = 0;
        var loss = 0.0;
        for (var shard = 0; shard < parts.Length; shard++)
        {
            var part = parts[shard];
            CheckIdentity(part, step, shard);
            images += part.Images;
            loss += part.Loss;
            add(part);
        }
        return new ShardTotal(images, loss);
    }

    private static void CheckIdentity(IShardGradient part, IShardStep step, int shard)
    {
        if (part.Epoch == step.Epoch && part.Step == step.Step && part.Shard == shard) return;
        throw new InvalidOperationException(
            $"Asked for epoch {step.Epoch}, step {step.Step}, shard {shard}; got {part.Epoch}, {part.Step}, {part.Shard}.");
    }

    /// <summary>Waits for all shards and measures how unevenly they answer.</summary>
    private static async Task<T[]> AllAsync<T>(int shards, Func<int, Task<T>> ask)
    {
        var seconds = new double[shards];
        var answers = await Task.WhenAll(Enumerable.Range(0, shards).Select(AskAsync)).ConfigureAwait(false);
        if (shards > 1) RecordWaits(seconds);
        return answers;

        async Task<T> AskAsync(int shard)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await ask(shard).ConfigureAwait(false);
            seconds[shard] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return answer;
        }
    }

    private static void RecordWaits(double[] seconds)
    {
        Array.Sort(seconds);
        Instruments.ShardWait.Record(seconds[^1] - seconds[0]);
        var limit = StragglerFactor * seconds[(seconds.Length - 1) / 2];
        var stragglers = seconds.Count(taken => taken > limit);
        if (stragglers > 0) Instruments.Stragglers.Add(stragglers);
    }
}

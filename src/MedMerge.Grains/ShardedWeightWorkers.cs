using System.Collections.Concurrent;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <summary>
/// The shards of one trial, each a grain somewhere in the cluster. A shard that does not answer a step in time is named in the log and placed
/// anew, on another node where there is one; its late answer counts no more.
/// </summary>
internal sealed partial class ShardedWeightWorkers(
    IGrainFactory grains, WeighStage stage, StageRequest request, NodeOptions options, TimeProvider time, ILogger logger) : IWeightWorkers
{
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(5);
    private readonly int[] _placements = new int[stage.Learning.Shards];
    private readonly ConcurrentDictionary<int, string> _nodes = new();

    /// <inheritdoc />
    public int Shards => stage.Learning.Shards;

    /// <inheritdoc />
    public int StepsPerEpoch { get; private set; }

    /// <summary>The silos that the shards are on.</summary>
    public IEnumerable<string> Nodes => _nodes.Values;

    /// <summary>Loads every shard's data and sources, all at once.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, Shards).Select(shard => CallAsync(shard, "loading its data and sources", OpenShardAsync, cancellation))).ConfigureAwait(false);
        StepsPerEpoch = opened[0].StepsPerEpoch;
    }

    /// <inheritdoc />
    public async Task<ShardGradient> GradientAsync(int shard, WeightStep step, CancellationToken cancellation)
    {
        var message = Message(step);
        return await CallAsync(shard, $"epoch {step.Epoch}, step {step.Step}", async (grain, shardRequest) =>
        {
            var answer = await grain.GradientAsync(shardRequest, message).WaitAsync(options.StepDeadline, time, cancellation).ConfigureAwait(false);
            var parts = answer.Values.Split(step.Alpha.Length, step.Head.Weight.Length, step.Head.Bias.Length);
            return new ShardGradient(answer.Epoch, answer.Step, answer.Shard, answer.Images, answer.Loss, parts[0], parts[1], parts[2]);
        }, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(double[] alpha, Head head, CancellationToken cancellation)
    {
        var message = Message(new WeightStep(0, 0, alpha, head));
        return CallAsync(shard: 0, "validation", async (grain, shardRequest) =>
        {
            var answer = await grain.ValidateAsync(shardRequest, message).WaitAsync(options.OpenDeadline, time, cancellation).ConfigureAwait(false);
            return new Validation(answer.MacroF1, answer.Loss);
        }, cancellation);
    }

    /// <summary>Frees the shards' memory; one that is out of reach frees it by itself.</summary>
    public async Task CloseAsync()
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Shards).Select(shard => Grain(shard).CloseAsync())).WaitAsync(CloseDeadline, time).ConfigureAwait(false);
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            LogUnreachable(error.Message);
        }
    }

    private static StepMessage Message(WeightStep step) => new(step.Epoch, step.Step, step.Head.Classes, Numbers.Of(step.Alpha, step.Head.Weight, step.Head.Bias));

    private async Task<ShardOpened> OpenShardAsync(IShardGrain grain, ShardRequest shardRequest)
    {
        var opened = await grain.OpenAsync(shardRequest).WaitAsync(options.OpenDeadline, time).ConfigureAwait(false);
        _nodes[shardRequest.Shard] = opened.Node;
        return opened;
    }

    private async Task<T> CallAsync<T>(int shard, string doing, Func<IShardGrain, ShardRequest, Task<T>> call, CancellationToken cancellation)
    {
        var shardRequest = new ShardRequest(request.Specification, request.Trial, stage.Key, shard);
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await call(Grain(shard), shardRequest).ConfigureAwait(false);
            }
            catch (Exception error) when (FailureClass.IsNodeGone(error) || error is InvalidDataException)
            {
                var node = _nodes.GetValueOrDefault(shard, "a node unknown yet");
                if (attempt >= RetryPolicy.MaxAttempts)
                    throw new WorkFailedException(new Failure(FailureKind.Transient, $"Shard {shard} of {Shards} has not answered {attempt} times ({doing}), last on {node}: {error.Message}"));
                LogMissing(shard, Shards, request.Asker, doing, node, error.Message);
                Interlocked.Increment(ref _placements[shard]);
                await Task.Delay(RetryPolicy.Back(attempt) / 4, time, cancellation).ConfigureAwait(false);
                if (typeof(T) != typeof(ShardOpened)) await CallAsync(shard, "loading its data and sources", OpenShardAsync, cancellation).ConfigureAwait(false);
            }
        }
    }

    private IShardGrain Grain(int shard) => grains.GetGrain<IShardGrain>($"{stage.Task.Device}/{stage.Key}/{shard}/{Volatile.Read(ref _placements[shard])}");

    [LoggerMessage(LogLevel.Warning, "Shard {Shard} of {Shards} of trial {Trial} is missing ({Doing}, last on {Node}): {Reason} It is placed anew.")]
    private partial void LogMissing(int shard, int shards, string trial, string doing, string node, string reason);

    [LoggerMessage(LogLevel.Debug, "A shard could not be closed: {Reason}")]
    private partial void LogUnreachable(string reason);
}

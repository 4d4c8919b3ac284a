using System.Collections.Concurrent;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;

namespace MedMerge.Grains;

/// <summary>One attempt at a trial: asks for its stages, those that need nothing of each other at the same time, until all are in the store.</summary>
internal sealed class TrialExecutor(
    Plan plan, Trial trial, TrialRequest request, string holder, ClusterView cluster, IGrainFactory grains, StageStore store, TimeProvider time)
{
    private static readonly TimeSpan ReleaseDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<string, StageStatus> _running = new();
    private readonly ConcurrentQueue<string> _computed = new(), _kept = new();
    private readonly Dictionary<string, Task> _ensured = [];

    /// <summary>The silos at work for it.</summary>
    public IReadOnlyList<string> Nodes => [.. _running.Values.SelectMany(status => status.Nodes).Distinct()];

    /// <summary>The stage at work; of several, the one that has come furthest.</summary>
    public StageProgress? Progress => _running.Values.Select(status => status.Progress).OfType<StageProgress>().MaxBy(progress => progress.Epoch ?? -1);

    /// <summary>Keys of the stages waited for.</summary>
    public IReadOnlyList<string> Computed => [.. _computed];

    /// <summary>Keys of the stages that were there.</summary>
    public IReadOnlyList<string> Kept => [.. _kept];

    /// <summary>Returns when every stage's output is in the store, for results and exports read from all of them.</summary>
    /// <exception cref="WorkFailedException">A stage failed.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var all = trial.Stages.Select(stage => EnsureAsync(stage, stop.Token)).ToList();
        try
        {
            while (all.Count > 0)
            {
                var ended = await Task.WhenAny(all).ConfigureAwait(false);
                all.Remove(ended);
                await ended.ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false); // one failed: the others stop too
            await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task EnsureAsync(Stage stage, CancellationToken cancellation)
    {
        lock (_ensured)
        {
            return _ensured.TryGetValue(stage.Key, out var task) ? task : _ensured[stage.Key] = EnsureOnceAsync(stage, cancellation);
        }
    }

    private async Task EnsureOnceAsync(Stage stage, CancellationToken cancellation)
    {
        await Task.Yield();
        if (await store.HasAsync(stage.Key, cancellation).ConfigureAwait(false))
        {
            _kept.Enqueue(stage.Key);
            return;
        }
        await Task.WhenAll(stage.Inputs.Select(input => EnsureAsync(input, cancellation))).ConfigureAwait(false);
        await ComputeAsync(stage, cancellation).ConfigureAwait(false);
        _computed.Enqueue(stage.Key);
    }

    private async Task ComputeAsync(Stage stage, CancellationToken cancellation)
    {
        var device = plan.Specification.Settings.DeviceKind;
        var key = $"{device}/{stage.Key}";
        IStageExecution grain = stage.HasCoordinator ? grains.GetGrain<ICoordinatorGrain>(key) : grains.GetGrain<IStageGrain>(key);
        var stageRequest = new StageRequest(request.Specification, trial.Number, holder, request.Attempt, request.Trace);
        var lastAnswer = time.GetTimestamp();
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                try
                {
                    var status = await grain.RunAsync(stageRequest).ConfigureAwait(false);
                    lastAnswer = time.GetTimestamp();
                    if (status.State == WorkState.Done) return;
                    if (status.Failure is { } failure) throw new WorkFailedException(failure);
                    _running[stage.Key] = status;
                    if (status.State == WorkState.Waiting) await Task.Delay(RetryDelay, time, cancellation).ConfigureAwait(false);
                }
                catch (Exception error) when (FailureClass.IsNodeGone(error))
                {
                    if (cluster.NodesWithDevice(device).Count == 0) lastAnswer = time.GetTimestamp(); // there is nobody to answer; the sweep says so and waits
                    if (time.GetElapsedTime(lastAnswer) > RetryPolicy.OutOfReach)
                        throw new WorkFailedException(new Failure(FailureKind.Transient, $"The stage '{stage.Name}' could not be reached for {RetryPolicy.OutOfReach.TotalMinutes:0} minutes: {error.Message}"));
                    await Task.Delay(RetryDelay, time, cancellation).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            await ReleaseAsync(grain).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _running.TryRemove(stage.Key, out _);
        }
    }

    private async Task ReleaseAsync(IStageExecution grain)
    {
        try
        {
            await grain.ReleaseAsync(holder).WaitAsync(ReleaseDeadline, time).ConfigureAwait(false);
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            // Its lease runs out by itself.
        }
    }
}

using System.Collections.Concurrent;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Placement;

namespace MedMerge.Grains.Running;

/// <summary>
/// Runs one attempt at a trial on the trial's node: leases its stages, independent ones at the same time, until all
/// outputs are in the store.
/// </summary>
/// <param name="holder">The leaseholder's name: the trial's key.</param>
internal sealed partial class TrialExecutor(
    TrialRequest request,
    string holder,
    PlanCache plans,
    ClusterView cluster,
    StageStore store,
    FailureReporter failures,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<TrialExecutor> logger)
{
    private readonly NodeCandidates _candidates = new(grains, cluster, time);
    private readonly ConcurrentDictionary<string, StageStatus> _running = new();
    private readonly ConcurrentQueue<ComputedStage> _computed = new();
    private readonly ConcurrentQueue<string> _kept = new();
    private readonly Dictionary<string, Task> _ensured = [];

    /// <summary>Whether cancelling gives the trial up; see <see cref="LeasedWorkClient{TStatus}.IsGivenUp"/>.</summary>
    public required Func<bool> IsGivenUp { get; init; }

    /// <summary>Where stages of the trial have failed, in this attempt and those before: the next goes elsewhere.</summary>
    public required ConcurrentBag<(string Stage, string Node)> Failures { get; init; }

    /// <summary>The silos that run its stages.</summary>
    public IReadOnlyList<string> Nodes => [.. _running.Values.SelectMany(status => status.Nodes).Distinct()];

    /// <summary>The running stage; of several, the one that has come furthest.</summary>
    public StageProgress? Progress =>
        _running.Values.Select(status => status.Progress).OfType<StageProgress>().MaxBy(progress => progress.Epoch ?? -1);

    /// <summary>The stages that it has had computed.</summary>
    public IReadOnlyList<ComputedStage> Computed => [.. _computed];

    /// <summary>Keys of the stages whose output was in the store.</summary>
    public IReadOnlyList<string> Kept => [.. _kept];

    /// <summary>
    /// Returns when every stage's output is in the store, for results and exports are read from all of them.
    /// </summary>
    /// <exception cref="WorkFailedException">A stage failed.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            var plan = await plans.GetAsync(request.Specification).ConfigureAwait(false);
            var trial = plan.Trials[request.Number - 1];
            await RunStagesAsync(trial.GetStages(request.Rung), trial.Scenario.Settings.DeviceKind, cancellation).ConfigureAwait(false);
        }
        catch (WorkFailedException)
        {
            throw; // reported where it occurred
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            throw new WorkFailedException(failures.Report(error, $"Trial {holder}, attempt {request.Attempt},"));
        }
    }

    private async Task RunStagesAsync(IEnumerable<Stage> stages, string device, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var all = stages.Select(stage => EnsureAsync(stage, device, stop.Token)).ToList();
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

    private Task EnsureAsync(Stage stage, string device, CancellationToken cancellation)
    {
        lock (_ensured)
        {
            if (_ensured.TryGetValue(stage.Key, out var known)) return known;
            return _ensured[stage.Key] = EnsureOnceAsync(stage, device, cancellation);
        }
    }

    private async Task EnsureOnceAsync(Stage stage, string device, CancellationToken cancellation)
    {
        await Task.Yield();
        if (await store.HasAsync(stage.Key, cancellation).ConfigureAwait(false))
        {
            _kept.Enqueue(stage.Key);
            return;
        }
        await Task.WhenAll(stage.Inputs.Select(input => EnsureAsync(input, device, cancellation))).ConfigureAwait(false);
        var seconds = await ComputeAsync(stage, device, cancellation).ConfigureAwait(false);
        _computed.Enqueue(new ComputedStage(stage.Key, seconds));
    }

    /// <returns>Seconds of devices that it took; null where that is not known.</returns>
    private async Task<double?> ComputeAsync(Stage stage, string device, CancellationToken cancellation)
    {
        var grain = grains.GetGrain<IStageGrain>($"{device}/{stage.Key}");
        var stageRequest = new StageRequest(request.Specification, request.Number, holder, request.Attempt, request.Trace);
        var lastAnswer = time.GetTimestamp();
        string? node = null;
        var lease = new LeasedWorkClient<StageStatus>(time)
        {
            Renew = RenewAsync,
            Release = () => grain.ReleaseAsync(holder),
            OnStatus = OnStatusAsync,
            OnUnreachable = OnUnreachable,
            IsGivenUp = IsGivenUp,
        };
        try
        {
            var status = await lease.RunAsync(cancellation).ConfigureAwait(false);
            if (status.Failure is not { } failure) return status.Seconds;
            if ((failure.Origin?.Node ?? node) is { } sick) Failures.Add((stage.Key, sick));
            throw new WorkFailedException(failure);
        }
        finally
        {
            _running.TryRemove(stage.Key, out _);
        }

        async Task<StageStatus> RenewAsync()
        {
            node ??= await ChooseNodeAsync(stage, device, cancellation).ConfigureAwait(false);
            // Where the stage has to be started, Orleans passes this to the placement director.
            if (node is not null) RequestContext.Set(IPlacementDirector.PlacementHintKey, SiloAddress.FromParsableString(node));
            return await grain.RunAsync(stageRequest).ConfigureAwait(false);
        }

        Task OnStatusAsync(StageStatus status)
        {
            lastAnswer = time.GetTimestamp();
            _running[stage.Key] = status;
            return Task.CompletedTask;
        }

        void OnUnreachable(Exception error)
        {
            node = null;
            // While no node has the device nobody could answer; the sweep says so and waits.
            if (cluster.NodesWithDevice(device).Count == 0) lastAnswer = time.GetTimestamp();
            if (time.GetElapsedTime(lastAnswer) <= RetryPolicy.UnreachableTimeout) return;
            var minutes = RetryPolicy.UnreachableTimeout.TotalMinutes;
            LogUnreachable(error, stage.Name, holder, minutes);
            var reason = $"The stage '{stage.Name}' could not be reached for {minutes:0} minutes: {error.Message}";
            throw new WorkFailedException(new Failure(FailureKind.Transient, reason));
        }
    }

    /// <summary>The least busy node, where there is a choice.</summary>
    private async Task<string?> ChooseNodeAsync(Stage stage, string device, CancellationToken cancellation)
    {
        if (cluster.NodesWithDevice(device).Count < 2) return null;
        var inputs = stage.Inputs.Select(input => input.Key).ToList();
        var candidates = await _candidates.FindAsync(device, stage.Key, inputs, cancellation).ConfigureAwait(false);
        var failed = Failures.Where(failure => failure.Stage == stage.Key).Select(failure => failure.Node).ToHashSet();
        return ShardChoice.ChooseNode(candidates, assigned: new Dictionary<string, int>(), failed, stage.Key);
    }

    [LoggerMessage(LogLevel.Warning, "Stage '{Stage}' of trial {Trial} could not be reached for {Minutes:0} minutes.")]
    private partial void LogUnreachable(Exception error, string stage, string trial, double minutes);
}

/// <summary>A stage that a trial has had computed.</summary>
/// <param name="Seconds">Seconds of devices that it took; null where that is not known.</param>
internal sealed record ComputedStage(string Key, double? Seconds);

using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Placement;

namespace MedMerge.Grains;

/// <summary>
/// The shards of one stage, each a grain somewhere in the cluster. A shard that does not answer in time is named in the log and placed
/// anew, on another node where there is one; its late answer counts no more.
/// </summary>
/// <param name="key">The stage's.</param>
/// <param name="inputs">Keys of what every shard loads: nodes that hold it are preferred.</param>
internal sealed partial class ShardSet<TGrain>(
    IGrainFactory grains, ClusterView cluster, string key, TargetContext task, int shards, IReadOnlyList<string> inputs, StageRequest request, NodeOptions options, TimeProvider time, ILogger logger)
    where TGrain : IShardGrain
{
    private const string Loading = "loading its data and models";
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(5), StateDeadline = TimeSpan.FromSeconds(2), PollInterval = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly int[] _placements = new int[shards];
    private readonly string?[] _nodes = new string?[shards];
    private readonly HashSet<string>[] _failed = [.. Enumerable.Range(0, shards).Select(_ => new HashSet<string>())];

    /// <summary>How many there are.</summary>
    public int Shards => shards;

    /// <summary>The same for every shard.</summary>
    public int StepsPerEpoch { get; private set; }

    /// <summary>How long one answer may take.</summary>
    public TimeSpan StepDeadline => options.StepDeadline;

    /// <summary>How long loading or a validation may take.</summary>
    public TimeSpan OpenDeadline => options.OpenDeadline;

    /// <summary>The silos that the shards are on.</summary>
    public IReadOnlyList<string> Nodes
    {
        get
        {
            lock (_gate) return [.. _nodes.OfType<string>()];
        }
    }

    /// <summary>The clock that deadlines are taken by.</summary>
    public TimeProvider Time => time;

    /// <summary>Loads every shard's data and models, all at once.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        var states = await CandidatesAsync(cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            for (var shard = 0; shard < shards; shard++) _nodes[shard] = ShardChoice.ChooseNode(states, AssignedShards(except: shard), _failed[shard], key);
        }
        var opened = await Task.WhenAll(Enumerable.Range(0, shards).Select(shard => OpenAsync(shard, cancellation))).ConfigureAwait(false);
        StepsPerEpoch = opened[0].StepsPerEpoch;
    }

    /// <summary>Frees the shards' memory; one that is out of reach frees it by itself.</summary>
    public Task CloseAsync() => Task.WhenAll(Enumerable.Range(0, shards).Select(shard => CloseAsync(Grain(shard))));

    /// <summary>Calls a shard until it answers; each time that it does not, it is placed anew.</summary>
    /// <param name="doing">What the shard is at, for messages.</param>
    /// <exception cref="WorkFailedException">It never did.</exception>
    public Task<T> CallAsync<T>(int shard, string doing, Func<TGrain, ShardRequest, Task<T>> call, CancellationToken cancellation) =>
        CallAsync(shard, doing, call, afresh: () => OpenAsync(shard, cancellation), cancellation);

    private Task<ShardOpened> OpenAsync(int shard, CancellationToken cancellation) =>
        CallAsync(shard, Loading, (grain, shardRequest) => OpenShardAsync(grain, shardRequest, cancellation), afresh: () => Task.CompletedTask, cancellation);

    /// <param name="afresh">What a shard that was placed anew needs before it is called again.</param>
    private async Task<T> CallAsync<T>(int shard, string doing, Func<TGrain, ShardRequest, Task<T>> call, Func<Task> afresh, CancellationToken cancellation)
    {
        var shardRequest = new ShardRequest(request.Specification, request.Trial, key, shard);
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await call(Grain(shard), shardRequest).ConfigureAwait(false);
            }
            catch (Exception error) when (FailureClass.IsNodeGone(error) || error is InvalidDataException)
            {
                var node = _nodes[shard] ?? "a node unknown yet";
                if (attempt >= RetryPolicy.MaxAttempts)
                    throw new WorkFailedException(new Failure(FailureKind.Transient, $"Shard {shard} of {shards} has not answered {attempt} times ({doing}), last on {node}: {error.Message}"));
                if (_nodes[shard] is { } known && cluster.HasLeft(known)) LogMoves(shard, shards, request.Holder, node);
                else LogMissing(shard, shards, request.Holder, doing, node, error.Message);
                Instruments.ShardsReplaced.Add(1);
                await Task.Delay(RetryPolicy.Back(attempt) / 4, time, cancellation).ConfigureAwait(false);
                await PlaceAnewAsync(shard, cancellation).ConfigureAwait(false);
                await afresh().ConfigureAwait(false);
            }
        }
    }

    private async Task<ShardOpened> OpenShardAsync(TGrain grain, ShardRequest shardRequest, CancellationToken cancellation)
    {
        // Orleans hands the hint to the placement director with the call that brings the grain up; it goes no further than this method's calls.
        if (_nodes[shardRequest.Shard] is { } node) RequestContext.Set(IPlacementDirector.PlacementHintKey, SiloAddress.FromParsableString(node));
        var opened = await grain.OpenAsync(shardRequest).WaitAsync(options.OpenDeadline, time, cancellation).ConfigureAwait(false);
        lock (_gate) _nodes[shardRequest.Shard] = opened.Node;
        return opened;
    }

    private async Task PlaceAnewAsync(int shard, CancellationToken cancellation)
    {
        _ = CloseAsync(Grain(shard)); // it may only have been slow, and would hold its memory
        var states = await CandidatesAsync(cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            if (_nodes[shard] is { } node) _failed[shard].Add(node);
            _placements[shard]++;
            _nodes[shard] = ShardChoice.ChooseNode(states, AssignedShards(except: shard), _failed[shard], key);
        }
    }

    /// <summary>How many of this stage's shards each node has, or will have.</summary>
    private Dictionary<string, int> AssignedShards(int except) =>
        _nodes.Where((node, shard) => shard != except && node is not null).GroupBy(node => node!).ToDictionary(group => group.Key, group => group.Count());

    private async Task CloseAsync(TGrain grain)
    {
        try
        {
            await grain.CloseAsync().WaitAsync(CloseDeadline, time).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            LogUnreachable(error.Message); // whatever it is: the stage's result must not be lost over it
        }
    }

    /// <summary>The nodes to choose from; where none has the device now, for all are being replaced, it waits for one.</summary>
    private async Task<IReadOnlyList<Candidate>> CandidatesAsync(CancellationToken cancellation)
    {
        for (var start = time.GetTimestamp(); ;)
        {
            var found = await StatesAsync(cancellation).ConfigureAwait(false);
            if (found.Count > 0 || time.GetElapsedTime(start) > RetryPolicy.OutOfReach) return found;
            await Task.Delay(PollInterval, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What the nodes tell of themselves; one that does not answer soon is left out.</summary>
    private async Task<IReadOnlyList<Candidate>> StatesAsync(CancellationToken cancellation)
    {
        var asked = cluster.NodesWithDevice(task.Device).Select(async node =>
        {
            try
            {
                var state = await grains.GetGrain<INodeGrain>(node).StateAsync(key, inputs).WaitAsync(StateDeadline, time, cancellation).ConfigureAwait(false);
                return new Candidate(node, state.Work, (double)state.Held / Math.Max(1, inputs.Count));
            }
            catch (Exception error) when (FailureClass.IsNodeGone(error))
            {
                return null;
            }
        });
        return [.. (await Task.WhenAll(asked).ConfigureAwait(false)).OfType<Candidate>()];
    }

    private TGrain Grain(int shard) => grains.GetGrain<TGrain>($"{task.Device}/{key}/{shard}/{Volatile.Read(ref _placements[shard])}");

    [LoggerMessage(LogLevel.Information, "Shard {Shard} of {Shards} of trial {Trial} moves: {Node} leaves.")]
    private partial void LogMoves(int shard, int shards, string trial, string node);

    [LoggerMessage(LogLevel.Warning, "Shard {Shard} of {Shards} of trial {Trial} is missing ({Doing}, last on {Node}): {Reason} It is placed anew.")]
    private partial void LogMissing(int shard, int shards, string trial, string doing, string node, string reason);

    [LoggerMessage(LogLevel.Debug, "A shard could not be closed: {Reason}")]
    private partial void LogUnreachable(string reason);
}

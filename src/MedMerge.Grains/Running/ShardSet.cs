using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Placement;

namespace MedMerge.Grains.Running;

/// <summary>A stage that is spread over shards.</summary>
/// <param name="Stage">The stage's key.</param>
/// <param name="Device">The kind of device that it needs.</param>
/// <param name="Inputs">Keys of what every shard loads: nodes that hold it are preferred.</param>
internal sealed record ShardedWork(string Stage, string Device, int Shards, IReadOnlyList<string> Inputs);

/// <summary>
/// The shards of one stage, each a grain somewhere in the cluster. A shard that does not answer in time is logged and
/// replaced, on another node where there is one; its late answer is ignored.
/// </summary>
internal sealed partial class ShardSet(
    ShardedWork work,
    StageRequest request,
    IGrainFactory grains,
    ClusterView cluster,
    NodeOptions options,
    TimeProvider time,
    ILogger logger)
{
    private const string Loading = "loading its data and models";
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    private readonly NodeCandidates _candidates = new(grains, cluster, time);
    private readonly Lock _gate = new();
    private readonly int[] _placements = new int[work.Shards];
    private readonly string?[] _nodes = new string?[work.Shards];
    private readonly HashSet<string>[] _failed = [.. Enumerable.Range(0, work.Shards).Select(_ => new HashSet<string>())];

    /// <summary>How many there are.</summary>
    public int Count => work.Shards;

    /// <summary>The same for every shard.</summary>
    public int StepsPerEpoch { get; private set; }

    /// <summary>The silos that the shards are on.</summary>
    public IReadOnlyList<string> Nodes
    {
        get
        {
            lock (_gate) return [.. _nodes.OfType<string>()];
        }
    }

    /// <summary>Loads every shard's data and models, all at once.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        var states = await CandidatesAsync(cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            for (var shard = 0; shard < Count; shard++) _nodes[shard] = ChooseNode(shard, states);
        }
        var opened = await Task.WhenAll(All.Select(shard => OpenAsync(shard, cancellation))).ConfigureAwait(false);
        StepsPerEpoch = opened[0].StepsPerEpoch;
    }

    /// <summary>Frees the shards' memory; one that is out of reach frees it by itself.</summary>
    public Task CloseAsync() => Task.WhenAll(All.Select(shard => CloseAsync(Grain(shard))));

    /// <summary>Waits for an answer as long as a step may take.</summary>
    public Task<T> WithinStepAsync<T>(Task<T> answer, CancellationToken cancellation) =>
        answer.WaitAsync(options.StepDeadline, time, cancellation);

    /// <inheritdoc cref="WithinStepAsync{T}" />
    public Task WithinStepAsync(Task answer, CancellationToken cancellation) => answer.WaitAsync(options.StepDeadline, time, cancellation);

    /// <summary>Waits for an answer as long as loading or a validation may take.</summary>
    public Task<T> WithinLoadAsync<T>(Task<T> answer, CancellationToken cancellation) =>
        answer.WaitAsync(options.OpenDeadline, time, cancellation);

    /// <summary>Calls a shard until it answers; each time that it does not, it is replaced.</summary>
    /// <param name="doing">What the shard is doing, for messages.</param>
    /// <exception cref="WorkFailedException">It never answered.</exception>
    public Task<T> CallAsync<T>(int shard, string doing, Func<IShardGrain, ShardRequest, Task<T>> call, CancellationToken cancellation) =>
        CallAsync(shard, doing, call, reopen: () => OpenAsync(shard, cancellation), cancellation);

    private IEnumerable<int> All => Enumerable.Range(0, Count);

    private Task<ShardOpened> OpenAsync(int shard, CancellationToken cancellation) => CallAsync(
        shard,
        Loading,
        (grain, shardRequest) => OpenShardAsync(grain, shardRequest, cancellation),
        reopen: () => Task.CompletedTask,
        cancellation);

    /// <param name="reopen">Prepares a shard that was replaced for the next call.</param>
    private async Task<T> CallAsync<T>(
        int shard,
        string doing,
        Func<IShardGrain, ShardRequest, Task<T>> call,
        Func<Task> reopen,
        CancellationToken cancellation)
    {
        var shardRequest = new ShardRequest(request.Specification, request.Trial, work.Stage, shard);
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await call(Grain(shard), shardRequest).ConfigureAwait(false);
            }
            catch (Exception error) when (FailureClass.IsNodeGone(error) || error is InvalidDataException)
            {
                LogReplacement(error, shard, doing);
                if (attempt >= RetryPolicy.MaxAttempts) throw new WorkFailedException(NeverAnswered(error, shard, doing, attempt));
                Instruments.ShardsReplaced.Add(1);
                await Task.Delay(RetryPolicy.BackOff(attempt) / 4, time, cancellation).ConfigureAwait(false);
                await ReplaceAsync(shard, cancellation).ConfigureAwait(false);
                await reopen().ConfigureAwait(false);
            }
        }
    }

    private Failure NeverAnswered(Exception error, int shard, string doing, int attempts)
    {
        var silence = $"Shard {shard} of {Count} has not answered {attempts} times ({doing}), last on {NodeOf(shard)}";
        return new Failure(FailureKind.Transient, $"{silence}: {error.GetType().Name}: {error.Message}");
    }

    private void LogReplacement(Exception error, int shard, string doing)
    {
        if (_nodes[shard] is { } node && cluster.HasLeft(node)) LogMoved(shard, Count, request.Holder, node);
        else LogUnanswered(error, shard, Count, request.Holder, NodeOf(shard), doing);
    }

    private string NodeOf(int shard) => _nodes[shard] ?? "a node not known yet";

    private async Task<ShardOpened> OpenShardAsync(IShardGrain grain, ShardRequest shardRequest, CancellationToken cancellation)
    {
        // Orleans passes the hint to the placement director with the call that activates the grain; it reaches this method's calls only.
        if (_nodes[shardRequest.Shard] is { } node)
            RequestContext.Set(IPlacementDirector.PlacementHintKey, SiloAddress.FromParsableString(node));
        var opened = await WithinLoadAsync(grain.OpenAsync(shardRequest), cancellation).ConfigureAwait(false);
        lock (_gate) _nodes[shardRequest.Shard] = opened.Node;
        return opened;
    }

    private async Task ReplaceAsync(int shard, CancellationToken cancellation)
    {
        _ = CloseAsync(Grain(shard)); // it may only have been slow, and would hold its memory
        var states = await CandidatesAsync(cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            if (_nodes[shard] is { } node) _failed[shard].Add(node);
            _placements[shard]++;
            _nodes[shard] = ChooseNode(shard, states);
        }
    }

    private string? ChooseNode(int shard, IReadOnlyList<Candidate> states) =>
        ShardChoice.ChooseNode(states, AssignedShards(except: shard), _failed[shard], work.Stage);

    /// <summary>How many of this stage's shards each node has, or will have.</summary>
    private Dictionary<string, int> AssignedShards(int except) =>
        _nodes.Where((node, shard) => shard != except && node is not null).CountBy(node => node!).ToDictionary();

    private async Task CloseAsync(IShardGrain grain)
    {
        try
        {
            await grain.CloseAsync().WaitAsync(CloseTimeout, time).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            LogNotClosed(error); // whatever it is: the stage's result must not be lost over it
        }
    }

    /// <summary>
    /// The nodes to choose from; waits for one where none has the device now, because all are being replaced.
    /// </summary>
    private async Task<IReadOnlyList<Candidate>> CandidatesAsync(CancellationToken cancellation)
    {
        for (var start = time.GetTimestamp(); ;)
        {
            var found = await _candidates.FindAsync(work.Device, work.Stage, work.Inputs, cancellation).ConfigureAwait(false);
            if (found.Count > 0 || time.GetElapsedTime(start) > RetryPolicy.UnreachableTimeout) return found;
            await Task.Delay(PollInterval, time, cancellation).ConfigureAwait(false);
        }
    }

    private IShardGrain Grain(int shard) =>
        grains.GetGrain<IShardGrain>($"{work.Device}/{work.Stage}/{shard}/{Volatile.Read(ref _placements[shard])}");

    [LoggerMessage(LogLevel.Information, "Shard {Shard} of {Shards} of trial {Trial} moves because node {Node} is leaving.")]
    private partial void LogMoved(int shard, int shards, string trial, string node);

    [LoggerMessage(LogLevel.Warning, "Shard {Shard} of {Shards} of trial {Trial} on {Node} did not answer ({Doing}) and is replaced.")]
    private partial void LogUnanswered(Exception error, int shard, int shards, string trial, string node, string doing);

    [LoggerMessage(LogLevel.Debug, "A shard could not be closed.")]
    private partial void LogNotClosed(Exception error);
}

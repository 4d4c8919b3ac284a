using MedMerge.Experiments.Stages;
using MedMerge.Storage;
using MedMerge.Tensors;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>One stage's data and models on this node's device, shared by those of its shards that are here.</summary>
internal sealed class ShardSession<TComputer>(IShardedStage<TComputer> stage, DeviceThread device, TComputer computer) where TComputer : IDisposable
{
    /// <summary>The stage.</summary>
    public IShardedStage<TComputer> Stage => stage;

    /// <summary>One for each shard that shares it.</summary>
    public Stack<IDisposable> Shards { get; } = [];

    /// <summary>Computes on the device.</summary>
    public Task<T> RunAsync<T>(Func<TComputer, T> work) => device.RunAsync(() => work(computer), CancellationToken.None);

    /// <summary>Frees the device's memory.</summary>
    public Task DisposeAsync() => device.RunAsync(computer.Dispose, CancellationToken.None);
}

/// <summary>The sessions of this node, opened by the first shard that joins and freed by the last that leaves.</summary>
internal sealed class ShardSessions<TComputer>(PlanCache plans, Devices devices, OutputCache outputs, IOptions<NodeOptions> options, NodeLoad load) where TComputer : IDisposable
{
    private const long BytesPerMiB = 1 << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<ShardSession<TComputer>>> _open = [];

    /// <summary>A shard's session.</summary>
    /// <exception cref="InvalidDataException">An input is missing or damaged.</exception>
    public async Task<ShardSession<TComputer>> JoinAsync(ShardRequest request)
    {
        while (true)
        {
            Task<ShardSession<TComputer>> opening;
            lock (_gate)
            {
                if (!_open.TryGetValue(request.Stage, out var known) || known.IsFaulted || known.IsCanceled)
                    _open[request.Stage] = known = Task.Run(() => OpenAsync(request));
                opening = known;
            }
            var session = await opening.ConfigureAwait(false);
            lock (_gate)
            {
                if (_open.GetValueOrDefault(request.Stage) != opening) continue; // freed meanwhile
                session.Shards.Push(load.Add(request.Stage));
                return session;
            }
        }
    }

    /// <summary>A shard has ended.</summary>
    public async Task LeaveAsync(ShardSession<TComputer> session)
    {
        lock (_gate)
        {
            session.Shards.Pop().Dispose();
            if (session.Shards.Count > 0) return;
            _open.Remove(session.Stage.Key);
        }
        await session.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<ShardSession<TComputer>> OpenAsync(ShardRequest request)
    {
        var (plan, found) = await plans.StageAsync(request.Specification, request.Trial, request.Stage).ConfigureAwait(false);
        var stage = (IShardedStage<TComputer>)found;
        var inputs = new List<StageOutput>();
        foreach (var input in stage.ShardInputs) inputs.Add(await outputs.GetAsync(input, CancellationToken.None).ConfigureAwait(false));
        var device = devices.ForThreads(plan.Specification.Settings.Threads);
        var computer = await device.RunAsync(() => stage.Open(inputs, device.Device, options.Value.SourceMemoryMiB * BytesPerMiB), CancellationToken.None).ConfigureAwait(false);
        return new ShardSession<TComputer>(stage, device, computer);
    }
}

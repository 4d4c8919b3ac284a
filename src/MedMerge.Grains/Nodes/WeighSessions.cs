using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Training;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>One trial's data and prepared sources on this node's device, shared by those of its shards that are here.</summary>
public sealed class WeighSession(WeighStage stage, DeviceThread device, GradientComputer computer)
{
    /// <summary>The stage that learns the weights.</summary>
    public WeighStage Stage => stage;

    /// <summary>Steps in an epoch.</summary>
    public int StepsPerEpoch => computer.StepsPerEpoch;

    internal int Shards { get; set; }

    /// <summary>Computes on the device.</summary>
    public Task<T> RunAsync<T>(Func<GradientComputer, T> work, CancellationToken cancellation) => device.RunAsync(() => work(computer), cancellation);

    internal Task DisposeAsync() => device.RunAsync(computer.Dispose, CancellationToken.None);
}

/// <summary>The sessions of this node, opened by the first shard that joins and freed by the last that leaves.</summary>
public sealed class WeighSessions(Plans plans, Devices devices, StageStore store, IOptions<NodeOptions> options)
{
    private const long BytesPerMiB = 1 << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<WeighSession>> _open = [];

    /// <summary>A shard's session.</summary>
    /// <exception cref="InvalidDataException">A prepared source is missing or damaged.</exception>
    public async Task<WeighSession> JoinAsync(ShardRequest request)
    {
        while (true)
        {
            Task<WeighSession> opening;
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
                session.Shards++;
                return session;
            }
        }
    }

    /// <summary>A shard has ended.</summary>
    public async Task LeaveAsync(WeighSession session)
    {
        lock (_gate)
        {
            if (--session.Shards > 0) return;
            _open.Remove(session.Stage.Key);
        }
        await session.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<WeighSession> OpenAsync(ShardRequest request)
    {
        var (plan, stage) = await plans.StageAsync(request.Specification, request.Trial, request.Stage).ConfigureAwait(false);
        var weigh = (WeighStage)stage;
        var prepared = new List<StageOutput>();
        foreach (var source in weigh.Sources) prepared.Add(await store.GetOrForgetAsync(source, CancellationToken.None).ConfigureAwait(false));
        var device = devices.With(plan.Specification.Threads);
        var computer = await device.RunAsync(() => weigh.Open(prepared, device.Device, options.Value.SourceMemoryMiB * BytesPerMiB), CancellationToken.None).ConfigureAwait(false);
        return new WeighSession(weigh, device, computer);
    }
}

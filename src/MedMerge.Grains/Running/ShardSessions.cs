using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Training;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Running;

/// <summary>
/// The sessions of this node, opened by the first shard that joins and freed by the last that leaves.
/// </summary>
internal sealed class ShardSessions(
    PlanCache plans,
    Devices devices,
    OutputCache outputs,
    IOptions<NodeOptions> options,
    NodeLoad load)
{
    private const long BytesPerMiB = 1 << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<ShardSession>> _open = [];

    /// <summary>A shard's session.</summary>
    /// <exception cref="InvalidDataException">An input is missing or damaged.</exception>
    public async Task<ShardSession> JoinAsync(ShardRequest request)
    {
        while (true)
        {
            Task<ShardSession> opening;
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
    public async Task LeaveAsync(ShardSession session)
    {
        lock (_gate)
        {
            session.Shards.Pop().Dispose();
            if (session.Shards.Count > 0) return;
            _open.Remove(session.Stage);
        }
        await session.CloseAsync().ConfigureAwait(false);
    }

    private async Task<ShardSession> OpenAsync(ShardRequest request)
    {
        var (trial, stage) = await plans.StageAsync(request.Specification, request.Trial, request.Stage).ConfigureAwait(false);
        var threads = trial.Scenario.Settings.Threads;
        var memory = await devices.Borrow(threads).RunAsync(stage.EstimateMemory, CancellationToken.None).ConfigureAwait(false);
        var room = load.Occupy(threads, memory);
        var lane = devices.Take(threads);
        try
        {
            var session = await OpenAsync(stage, lane.Thread).ConfigureAwait(false);
            session.Closed = () => Free(room, lane);
            return session;
        }
        catch
        {
            Free(room, lane);
            throw;
        }
    }

    private static void Free(IDisposable room, LaneLease lane)
    {
        lane.Dispose();
        room.Dispose();
    }

    private async Task<ShardSession> OpenAsync(Stage stage, DeviceThread device) => stage switch
    {
        KernelWeightStage learn => new ShardSession<KernelWeightStep, KernelWeightGradient, double>(
            learn.Key, device, await LoadAsync(learn, device).ConfigureAwait(false), new KernelWeightFormat(learn)),
        FineTuneStage tune => new ShardSession<FineTuneStep, FineTuneGradient, float>(
            tune.Key, device, await LoadAsync(tune, device).ConfigureAwait(false), FineTuneFormat.Instance),
        _ => throw new InvalidOperationException($"A stage '{stage.Name}' has no shards."),
    };

    private async Task<TComputer> LoadAsync<TComputer>(IShardedStage<TComputer> stage, DeviceThread device)
        where TComputer : IDisposable
    {
        var inputs = new List<StageOutput>();
        foreach (var input in stage.ShardInputs) inputs.Add(await outputs.GetAsync(input, CancellationToken.None).ConfigureAwait(false));
        var memoryLimit = options.Value.SourceMemoryMiB * BytesPerMiB;
        return await device.RunAsync(() => stage.Open(inputs, device.Device, memoryLimit), CancellationToken.None).ConfigureAwait(false);
    }
}

using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Running;
using MedMerge.Grains.Work;

namespace MedMerge.Grains;

/// <inheritdoc cref="IShardGrain" />
[DevicePlacement]
internal sealed class ShardGrain(
    ILocalSiloDetails silo,
    ShardSessions sessions,
    NodeLoad load,
    FailureReporter failures)
    : Grain, IShardGrain
{
    private ShardSession? _session;
    private IShard? _shard;
    private int _running;

    /// <inheritdoc />
    public async Task<ShardOpened> OpenAsync(ShardRequest request)
    {
        await RunAsync(request, _ => Task.FromResult(true));
        return new ShardOpened(_session!.StepsPerEpoch, silo.SiloAddress.ToParsableString());
    }

    /// <inheritdoc />
    public Task PutAsync(ShardRequest request, StepPart part) => RunAsync(request, shard =>
    {
        shard.Put(part);
        return Task.FromResult(true);
    });

    /// <inheritdoc />
    public Task<GradientPart> GradientAsync(ShardRequest request, StepPart last) => RunAsync(request, shard => shard.GradientAsync(last));

    /// <inheritdoc />
    public Task<PackedNumbers> GetAsync(ShardRequest request, int epoch, int step, int offset) =>
        RunAsync(request, shard => Task.FromResult(shard.Get(epoch, step, offset)));

    /// <inheritdoc />
    public Task<ValidationMessage> ValidateAsync(ShardRequest request, StepPart last) =>
        RunAsync(request, shard => shard.ValidateAsync(last));

    /// <inheritdoc />
    public async Task CloseAsync()
    {
        if (_running == 0) await LeaveAsync();
        DeactivateOnIdle(); // once nothing runs any more
    }

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => LeaveAsync();

    private async Task LeaveAsync()
    {
        if (_session is not { } session) return;
        _session = null;
        _shard = null;
        await sessions.LeaveAsync(session);
    }

    /// <summary>Runs a shard's work on the device.</summary>
    /// <exception cref="WorkFailedException">It failed; where the device is to blame this node leaves, and another must
    /// do it.</exception>
    private async Task<T> RunAsync<T>(ShardRequest request, Func<IShard, Task<T>> work)
    {
        _running++;
        try
        {
            _session ??= await sessions.JoinAsync(request);
            _shard ??= _session.CreateShard(request.Shard);
            return await work(_shard);
        }
        catch (Exception error) when (error is not (InvalidDataException or OperationCanceledException))
        {
            var failure = failures.Report(error, $"Shard {request.Shard} of stage {request.Stage}");
            if (load.CountExcluding(request.Stage) > 0) failure = FailureClass.BesideOtherWork(failure, error);
            throw new WorkFailedException(failure);
        }
        finally
        {
            _running--;
        }
    }
}

using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;

namespace MedMerge.Grains;

/// <summary>What shards have in common: their session on the device, and what to do where the device fails.</summary>
internal abstract class ShardGrain<TComputer>(ILocalSiloDetails silo, ShardSessions<TComputer> sessions, DeviceHealth deviceHealth) : Grain, IShardGrain where TComputer : IDisposable
{
    private ShardSession<TComputer>? _session;

    /// <inheritdoc />
    public async Task<ShardOpened> OpenAsync(ShardRequest request) => new(await ComputeAsync(request, (_, computer) => StepsPerEpoch(computer)), silo.SiloAddress.ToParsableString());

    /// <inheritdoc />
    public async Task CloseAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await sessions.LeaveAsync(session);
        }
        DeactivateOnIdle();
    }

    /// <inheritdoc />
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_session is { } session) await sessions.LeaveAsync(session);
    }

    protected abstract int StepsPerEpoch(TComputer computer);

    /// <summary>Computes on the device.</summary>
    /// <exception cref="WorkFailedException">It failed; where the device is to blame this node leaves, and another must do it.</exception>
    protected async Task<T> ComputeAsync<T>(ShardRequest request, Func<ShardSession<TComputer>, TComputer, T> work)
    {
        try
        {
            var session = _session ??= await sessions.JoinAsync(request);
            return await session.RunAsync(computer => work(session, computer));
        }
        catch (Exception error) when (error is not (InvalidDataException or OperationCanceledException))
        {
            var failure = FailureClass.Of(error);
            deviceHealth.ReportFailure(failure);
            throw new WorkFailedException(failure);
        }
    }
}

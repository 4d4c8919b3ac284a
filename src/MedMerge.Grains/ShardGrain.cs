using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Training;

namespace MedMerge.Grains;

/// <inheritdoc cref="IShardGrain" />
[DevicePlacement]
internal sealed class ShardGrain(ILocalSiloDetails silo, WeighSessions sessions) : Grain, IShardGrain
{
    private WeighSession? _session;

    /// <inheritdoc />
    public async Task<ShardOpened> OpenAsync(ShardRequest request) =>
        new((await SessionAsync(request)).StepsPerEpoch, silo.SiloAddress.ToParsableString());

    /// <inheritdoc />
    public async Task<GradientMessage> GradientAsync(ShardRequest request, StepMessage step)
    {
        var session = await SessionAsync(request);
        var gradient = await session.RunAsync(computer => computer.Gradient(request.Shard, Unpack(session.Stage, step)), CancellationToken.None);
        return new GradientMessage(gradient.Epoch, gradient.Step, gradient.Shard, gradient.Images, gradient.Loss,
            Numbers.Of(gradient.Alpha, gradient.HeadWeight, gradient.HeadBias));
    }

    /// <inheritdoc />
    public async Task<ValidationMessage> ValidateAsync(ShardRequest request, StepMessage step)
    {
        var session = await SessionAsync(request);
        var candidate = Unpack(session.Stage, step);
        var validation = await session.RunAsync(computer =>
            Scoring.Validate(computer.Predict(candidate.Alpha, candidate.Head, session.Stage.Task.Dataset.Validation, CancellationToken.None)), CancellationToken.None);
        return new ValidationMessage(validation.MacroF1, validation.Loss);
    }

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

    private async Task<WeighSession> SessionAsync(ShardRequest request) => _session ??= await sessions.JoinAsync(request);

    private static WeightStep Unpack(WeighStage stage, StepMessage step)
    {
        var (features, filters) = (stage.Task.Architecture.Features, stage.Task.Architecture.Filters);
        var parts = step.Values.Split(stage.Sources.Count * filters, step.Classes * features, step.Classes);
        return new WeightStep(step.Epoch, step.Step, parts[0], new Head(parts[1], parts[2]));
    }
}

using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge.Grains;

/// <inheritdoc cref="IKernelWeightShardGrain" />
[DevicePlacement]
internal sealed class KernelWeightShardGrain(ILocalSiloDetails silo, ShardSessions<KernelWeightGradientComputer> sessions, DeviceHealth deviceHealth)
    : ShardGrain<KernelWeightGradientComputer>(silo, sessions, deviceHealth), IKernelWeightShardGrain
{
    /// <inheritdoc />
    public async Task<GradientMessage> GradientAsync(ShardRequest request, StepMessage step)
    {
        var gradient = await ComputeAsync(request, (session, computer) => computer.Gradient(request.Shard, Unpack(session.Stage, step)));
        return new GradientMessage(gradient.Epoch, gradient.Step, gradient.Shard, gradient.Images, gradient.Loss,
            PackedNumbers.Of(gradient.Alpha.Values, gradient.HeadWeight, gradient.HeadBias));
    }

    /// <inheritdoc />
    public async Task<ValidationMessage> ValidateAsync(ShardRequest request, StepMessage step)
    {
        var validation = await ComputeAsync(request, (session, computer) => computer.Validate(Unpack(session.Stage, step), CancellationToken.None));
        return new ValidationMessage(validation.MacroF1, validation.Loss);
    }

    protected override int StepsPerEpoch(KernelWeightGradientComputer computer) => computer.StepsPerEpoch;

    private static KernelWeightStep Unpack(IShardedStage<KernelWeightGradientComputer> stage, StepMessage step)
    {
        var architecture = stage.Target.Architecture;
        var sources = stage.ShardInputs.Count;
        var parts = step.Values.Split(sources * architecture.Filters, step.Classes * architecture.Features, step.Classes);
        return new KernelWeightStep(step.Epoch, step.Step, new KernelWeightMatrix(architecture, sources, parts[0]), new Head(parts[1], parts[2]));
    }
}

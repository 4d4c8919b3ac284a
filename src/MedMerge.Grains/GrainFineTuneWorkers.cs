using MedMerge.Training;

namespace MedMerge.Grains;

/// <summary>The shards of a data-parallel fine-tuning: weights go and gradients come in parts.</summary>
internal sealed class GrainFineTuneWorkers(ShardSet<IFineTuneShardGrain> calls) : IShardWorkers<FineTuneStep, FineTuneGradient>
{
    /// <summary>Names the weights of an epoch's validation, which come after all its steps.</summary>
    private const int Validating = -1;

    private readonly Lock _gate = new();
    private (int Epoch, int Step) _packedFor = (-1, 0);
    private List<FineTunePart> _packed = [];

    /// <inheritdoc />
    public int Shards => calls.Shards;

    /// <inheritdoc />
    public int StepsPerEpoch => calls.StepsPerEpoch;

    /// <inheritdoc />
    public Task<FineTuneGradient> GradientAsync(int shard, FineTuneStep step, CancellationToken cancellation)
    {
        var parts = Pack(step);
        return calls.CallAsync(shard, $"epoch {step.Epoch}, step {step.Step}", async (grain, request) =>
        {
            await PutAsync(grain, request, parts, cancellation).ConfigureAwait(false);
            var answer = await grain.GradientAsync(request, step.Epoch, step.Step).WaitAsync(calls.StepDeadline, calls.Time, cancellation).ConfigureAwait(false);
            var values = new float[answer.Total];
            foreach (var offset in FineTunePart.Offsets(values.Length))
            {
                var part = await grain.GetAsync(request, step.Epoch, step.Step, offset).WaitAsync(calls.StepDeadline, calls.Time, cancellation).ConfigureAwait(false);
                part.Values.CopyTo(values.AsSpan(offset, Math.Min(FineTunePart.MaxLength, values.Length - offset)));
            }
            return new FineTuneGradient(answer.Epoch, answer.Step, answer.Shard, answer.Images, answer.Loss, values);
        }, cancellation);
    }

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(FineTuneStep candidate, CancellationToken cancellation)
    {
        var parts = Parts(candidate.Epoch, Validating, candidate.Values);
        return calls.CallAsync(shard: 0, "validation", async (grain, request) =>
        {
            await PutAsync(grain, request, parts, cancellation).ConfigureAwait(false);
            var answer = await grain.ValidateAsync(request, candidate.Epoch, Validating).WaitAsync(calls.OpenDeadline, calls.Time, cancellation).ConfigureAwait(false);
            return new Validation(answer.MacroF1, answer.Loss);
        }, cancellation);
    }

    private async Task PutAsync(IFineTuneShardGrain grain, ShardRequest request, List<FineTunePart> parts, CancellationToken cancellation)
    {
        foreach (var part in parts) await grain.PutAsync(request, part).WaitAsync(calls.StepDeadline, calls.Time, cancellation).ConfigureAwait(false);
    }

    /// <summary>A step's weights are packed once for all shards.</summary>
    private List<FineTunePart> Pack(FineTuneStep step)
    {
        lock (_gate)
        {
            if (_packedFor != (step.Epoch, step.Step)) (_packedFor, _packed) = ((step.Epoch, step.Step), Parts(step.Epoch, step.Step, step.Values));
            return _packed;
        }
    }

    private static List<FineTunePart> Parts(int epoch, int step, float[] weights) => [.. FineTunePart.Offsets(weights.Length).Select(offset => FineTunePart.Of(epoch, step, weights, offset))];
}

using MedMerge.Training;

namespace MedMerge.Grains;

/// <summary>The shards of a weight learning: one message there and one back a step.</summary>
internal sealed class GrainKernelWeightWorkers(ShardSet<IKernelWeightShardGrain> calls) : IShardWorkers<KernelWeightStep, KernelWeightGradient>
{
    /// <inheritdoc />
    public int Shards => calls.Shards;

    /// <inheritdoc />
    public int StepsPerEpoch => calls.StepsPerEpoch;

    /// <inheritdoc />
    public Task<KernelWeightGradient> GradientAsync(int shard, KernelWeightStep step, CancellationToken cancellation)
    {
        var message = Message(step);
        return calls.CallAsync(shard, $"epoch {step.Epoch}, step {step.Step}", async (grain, request) =>
        {
            var answer = await grain.GradientAsync(request, message).WaitAsync(calls.StepDeadline, calls.Time, cancellation).ConfigureAwait(false);
            var parts = answer.Values.Split(step.Alpha.Values.Length, step.Head.Weight.Length, step.Head.Bias.Length);
            return new KernelWeightGradient(answer.Epoch, answer.Step, answer.Shard, answer.Images, answer.Loss, step.Alpha.With(parts[0]), parts[1], parts[2]);
        }, cancellation);
    }

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(KernelWeightStep candidate, CancellationToken cancellation)
    {
        var message = Message(candidate);
        return calls.CallAsync(shard: 0, "validation", async (grain, request) =>
        {
            var answer = await grain.ValidateAsync(request, message).WaitAsync(calls.OpenDeadline, calls.Time, cancellation).ConfigureAwait(false);
            return new Validation(answer.MacroF1, answer.Loss);
        }, cancellation);
    }

    private static StepMessage Message(KernelWeightStep step) => new(step.Epoch, step.Step, step.Head.Classes, PackedNumbers.Of(step.Alpha.Values, step.Head.Weight, step.Head.Bias));
}

using System.Runtime.CompilerServices;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>
/// Shards on the devices of the cluster's nodes: a step's numbers are sent to their grains, and gradients come back, in
/// parts.
/// </summary>
internal sealed class GrainShardWorkers<TStep, TGradient, TNumber>(ShardSet shards, IShardFormat<TStep, TGradient, TNumber> format)
    : IShardWorkers<TStep, TGradient>
    where TStep : IShardStep
    where TGradient : IShardGradient
    where TNumber : unmanaged
{
    private readonly Lock _gate = new();
    private List<StepPart> _packed = [];

    /// <inheritdoc />
    public int Shards => shards.Count;

    /// <inheritdoc />
    public int StepsPerEpoch => shards.StepsPerEpoch;

    /// <inheritdoc />
    public Task<TGradient> GradientAsync(int shard, TStep step, CancellationToken cancellation)
    {
        var parts = PackOnce(step);
        return shards.CallAsync(shard, $"epoch {step.Epoch}, step {step.Step}", async (grain, request) =>
        {
            await PutAsync(grain, request, parts, cancellation).ConfigureAwait(false);
            var answer = await shards.WithinStepAsync(grain.GradientAsync(request, parts[^1]), cancellation).ConfigureAwait(false);
            var values = new TNumber[answer.First.Total / Unsafe.SizeOf<TNumber>()];
            answer.First.Unpack(values);
            foreach (var offset in PackedNumbers.Offsets(answer.First.Total).Skip(1))
            {
                var asked = grain.GetAsync(request, step.Epoch, step.Step, offset);
                var part = await shards.WithinStepAsync(asked, cancellation).ConfigureAwait(false);
                part.Unpack(values);
            }
            return format.ReadGradient(answer, values);
        }, cancellation);
    }

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(TStep candidate, CancellationToken cancellation)
    {
        var parts = Pack(candidate, StepPart.Validation);
        return shards.CallAsync(shard: 0, "validation", async (grain, request) =>
        {
            await PutAsync(grain, request, parts, cancellation).ConfigureAwait(false);
            var answer = await shards.WithinLoadAsync(grain.ValidateAsync(request, parts[^1]), cancellation).ConfigureAwait(false);
            return new Validation(answer.MacroF1, answer.Loss)
            {
                BalancedAccuracy = answer.BalancedAccuracy,
                Accuracy = answer.Accuracy,
                Auc = answer.Auc,
                QuadraticKappa = answer.QuadraticKappa,
            };
        }, cancellation);
    }

    private async Task PutAsync(IShardGrain grain, ShardRequest request, List<StepPart> parts, CancellationToken cancellation)
    {
        foreach (var part in parts.SkipLast(1))
            await shards.WithinStepAsync(grain.PutAsync(request, part), cancellation).ConfigureAwait(false);
    }

    /// <summary>A step's numbers are packed once for all shards.</summary>
    private List<StepPart> PackOnce(TStep step)
    {
        lock (_gate)
        {
            var isPacked = _packed.Count > 0 && _packed[0].Epoch == step.Epoch && _packed[0].Step == step.Step;
            if (!isPacked) _packed = Pack(step, step.Step);
            return _packed;
        }
    }

    private List<StepPart> Pack(TStep step, int number)
    {
        var values = format.Write(step);
        return [.. PackedNumbers
            .Offsets(values.Length * Unsafe.SizeOf<TNumber>())
            .Select(offset => new StepPart(step.Epoch, number, PackedNumbers.Pack(values, offset)))];
    }
}

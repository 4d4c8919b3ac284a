using MedMerge.Training;

namespace MedMerge.Tests.Training;

/// <summary>Workers on the calling thread.</summary>
internal sealed class InlineWorkers(KernelWeightGradientComputer computer, int shards)
    : IShardWorkers<KernelWeightStep, KernelWeightGradient>
{
    public int Shards => shards;

    public int StepsPerEpoch => computer.StepsPerEpoch;

    public Task<KernelWeightGradient> GradientAsync(int shard, KernelWeightStep step, CancellationToken cancellation) =>
        Task.FromResult(computer.Gradient(shard, step));

    public Task<Validation> ValidateAsync(KernelWeightStep candidate, CancellationToken cancellation) => throw new NotSupportedException();
}

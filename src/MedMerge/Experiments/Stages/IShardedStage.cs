namespace MedMerge.Experiments.Stages;

/// <summary>A stage that a coordinator may spread: its shards compute on devices, possibly of several nodes.</summary>
/// <typeparam name="TComputer">The device's side.</typeparam>
public interface IShardedStage<out TComputer> where TComputer : IDisposable
{
    /// <summary>The stage's key.</summary>
    string Key { get; }

    /// <summary>How many shards.</summary>
    int Shards { get; }

    /// <summary>What it learns on.</summary>
    TargetContext Target { get; }

    /// <summary>The stages whose outputs the device's side needs.</summary>
    IReadOnlyList<Stage> ShardInputs { get; }

    /// <summary>The device's side, for all shards that are on it. Device thread only.</summary>
    /// <param name="inputs">The outputs of <see cref="ShardInputs"/>.</param>
    /// <param name="memoryLimit">Sources whose kernels take more bytes of the device's memory than this come there layer by layer; null for no limit.</param>
    TComputer Open(IReadOnlyList<StageOutput> inputs, TorchSharp.torch.Device device, long? memoryLimit);
}

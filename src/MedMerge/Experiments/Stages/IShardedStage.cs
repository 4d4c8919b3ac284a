namespace MedMerge.Experiments.Stages;

/// <summary>A stage whose shards a coordinator may distribute over the devices of several nodes.</summary>
/// <typeparam name="TComputer">Computes shards on a device.</typeparam>
internal interface IShardedStage<out TComputer> where TComputer : IDisposable
{
    /// <summary>The stage's key.</summary>
    string Key { get; }

    /// <summary>Number of shards.</summary>
    int Shards { get; }

    /// <summary>Data set, architecture, threads and device.</summary>
    TargetContext Target { get; }

    /// <summary>The stages whose outputs a <typeparamref name="TComputer"/> needs.</summary>
    IReadOnlyList<Stage> ShardInputs { get; }

    /// <summary>Opens the computer for all shards of a device. Call on the device thread only.</summary>
    /// <param name="inputs">The outputs of <see cref="ShardInputs"/>.</param>
    /// <param name="memoryLimit">
    /// Device memory in bytes above which the sources' kernels are copied to the device layer by layer; null for no limit.
    /// </param>
    TComputer Open(IReadOnlyList<StageOutput> inputs, TorchSharp.torch.Device device, long? memoryLimit);
}

using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>The output of a stage: a few immutable files by name.</summary>
internal sealed class StageOutput(IReadOnlyDictionary<string, byte[]> files)
{
    /// <summary>The files by name.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; } = files;

    /// <summary>How long it took to compute; null where that is not known.</summary>
    public StageTiming? Timing { get; init; }

    /// <summary>The bytes of a file.</summary>
    public byte[] this[string name] => Files[name];
}

/// <summary>Keeps the outputs of stages by key, so that none is computed twice.</summary>
internal interface IStageStore
{
    /// <summary>Finds the output of a stage; null if it is missing, incomplete or damaged.</summary>
    Task<StageOutput?> FindAsync(string key, CancellationToken cancellation);

    /// <summary>Finds one file of a stage's output; null if it is missing or damaged.</summary>
    async Task<byte[]?> FindFileAsync(string key, string name, CancellationToken cancellation) =>
        (await FindAsync(key, cancellation).ConfigureAwait(false))?.Files.GetValueOrDefault(name);

    /// <summary>The checkpoints of a running stage.</summary>
    ICheckpoints Checkpoints(string key);

    /// <summary>Saves an output atomically, even if the process dies.</summary>
    Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation);
}

/// <summary>Operations on every store.</summary>
internal static class StageStoreExtensions
{
    /// <summary>Gets the output of a stage that has run.</summary>
    /// <param name="key">The stage's key.</param>
    /// <exception cref="MissingOutputException">The output is missing or damaged.</exception>
    public static async Task<StageOutput> GetAsync(this IStageStore store, string key, CancellationToken cancellation) =>
        await store.FindAsync(key, cancellation).ConfigureAwait(false)
        ?? throw new MissingOutputException(key);

    /// <summary>Gets one file of the output of a stage that has run, without reading the others.</summary>
    /// <exception cref="MissingOutputException">It is missing or damaged.</exception>
    public static async Task<byte[]> GetFileAsync(this IStageStore store, string key, string name, CancellationToken cancellation) =>
        await store.FindFileAsync(key, name, cancellation).ConfigureAwait(false)
        ?? throw new MissingOutputException(key);
}

/// <summary>An output that should be in the store is missing or damaged.</summary>
internal sealed class MissingOutputException(string key)
    : Exception($"The output of the stage {key} is missing in the store or damaged. Run the specification again to recompute it.")
{
    /// <summary>The stage's key.</summary>
    public string Key { get; } = key;
}

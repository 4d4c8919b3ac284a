using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>What a stage produced: a few files by name, immutable.</summary>
public sealed class StageOutput(IReadOnlyDictionary<string, byte[]> files)
{
    /// <summary>The files by name.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; } = files;

    /// <summary>A file's bytes.</summary>
    public byte[] this[string name] => Files[name];
}

/// <summary>Keeps stages' outputs by the stage's key, so that none is computed twice.</summary>
public interface IStageStore
{
    /// <summary>The output of a stage, or null where it is not there whole and undamaged.</summary>
    Task<StageOutput?> FindAsync(string key, CancellationToken cancellation);

    /// <summary>The states of a stage under way.</summary>
    ICheckpoints Checkpoints(string key);

    /// <summary>Keeps an output. It is there whole or not at all, whenever the process dies.</summary>
    Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation);
}

/// <summary>What every store can do.</summary>
public static class StageStoreExtensions
{
    /// <summary>The output of a stage that has run.</summary>
    /// <param name="key">The stage's.</param>
    /// <exception cref="MissingOutputException">It is missing or damaged.</exception>
    public static async Task<StageOutput> GetAsync(this IStageStore store, string key, CancellationToken cancellation) =>
        await store.FindAsync(key, cancellation).ConfigureAwait(false) ?? throw new MissingOutputException(key);
}

/// <summary>An output that should be in the store is not, or is damaged.</summary>
public sealed class MissingOutputException(string key)
    : Exception($"The output of the stage {key} is missing in the store or damaged. Run it again: what is missing is computed again.")
{
    /// <summary>The stage's key.</summary>
    public string Key { get; } = key;
}

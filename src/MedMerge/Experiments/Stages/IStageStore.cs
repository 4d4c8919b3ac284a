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

/// <summary>What can be had from any store.</summary>
public static class StageStoreExtensions
{
    /// <summary>The output of a stage that has run.</summary>
    /// <exception cref="MissingOutputException">It is missing or damaged.</exception>
    public static async Task<StageOutput> GetAsync(this IStageStore store, Stage stage, CancellationToken cancellation) =>
        await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false) ?? throw new MissingOutputException(stage);
}

/// <summary>An output that should be in the store is not, or is damaged.</summary>
public sealed class MissingOutputException(Stage stage)
    : Exception($"The output of a stage '{stage.Name}' ({stage.Key}) is missing in the store or damaged. Run it again: what is missing is computed again.")
{
    /// <summary>The stage that gave it.</summary>
    public Stage Stage { get; } = stage;
}

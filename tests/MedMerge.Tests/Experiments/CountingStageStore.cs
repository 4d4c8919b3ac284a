using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary>Notes what was computed, in memory.</summary>
internal sealed class CountingStageStore : IStageStore
{
    private readonly MemoryStageStore _store = new();

    /// <summary>The names of the stages that were computed, in order.</summary>
    public List<string> Saved { get; } = [];

    public Task<StageOutput?> FindAsync(string key, CancellationToken cancellation) => _store.FindAsync(key, cancellation);

    public ICheckpoints Checkpoints(string key) => _store.Checkpoints(key);

    public Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        Saved.Add(stage);
        return _store.SaveAsync(key, stage, output, cancellation);
    }
}

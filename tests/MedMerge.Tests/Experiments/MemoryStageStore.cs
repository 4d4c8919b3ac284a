using MedMerge.Experiments;

namespace MedMerge.Tests.Experiments;

/// <summary>Keeps outputs in memory and counts what was computed.</summary>
internal sealed class MemoryStageStore : IStageStore
{
    private readonly Dictionary<string, StageOutput> _outputs = [];

    public List<string> Saved { get; } = [];

    public Task<StageOutput?> FindAsync(string key, CancellationToken cancellation) => Task.FromResult(_outputs.GetValueOrDefault(key));

    public Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        _outputs.Add(key, output);
        Saved.Add(stage);
        return Task.CompletedTask;
    }
}

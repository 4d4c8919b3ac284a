using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary>Keeps outputs in memory and counts what was computed.</summary>
internal sealed class MemoryStageStore : IStageStore
{
    private readonly Dictionary<string, StageOutput> _outputs = [];

    private readonly Dictionary<string, MemoryCheckpoints> _checkpoints = [];

    public List<string> Saved { get; } = [];

    public Task<StageOutput?> FindAsync(string key, CancellationToken cancellation) => Task.FromResult(_outputs.GetValueOrDefault(key));

    public ICheckpoints Checkpoints(string key) => _checkpoints.TryGetValue(key, out var found) ? found : _checkpoints[key] = new MemoryCheckpoints();

    public Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        _outputs.Add(key, output);
        Saved.Add(stage);
        return Task.CompletedTask;
    }

    private sealed class MemoryCheckpoints : ICheckpoints
    {
        private byte[]? _state;

        public Task<byte[]?> LoadAsync(CancellationToken cancellation) => Task.FromResult(_state);

        public Task SaveAsync(byte[] state, CancellationToken cancellation)
        {
            _state = state;
            return Task.CompletedTask;
        }

        public Task ClearAsync(CancellationToken cancellation)
        {
            _state = null;
            return Task.CompletedTask;
        }
    }
}

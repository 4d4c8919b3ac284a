using System.Collections.Concurrent;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Keeps stages' outputs and checkpoints in this process's memory, for as long as it lives.</summary>
internal sealed class MemoryStageStore : IStageStore
{
    private readonly ConcurrentDictionary<string, StageOutput> _outputs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MemoryCheckpoints> _checkpoints = new(StringComparer.Ordinal);

    /// <inheritdoc />
    public Task<StageOutput?> FindAsync(string key, CancellationToken cancellation) => Task.FromResult(_outputs.GetValueOrDefault(key));

    /// <inheritdoc />
    public ICheckpoints Checkpoints(string key) => _checkpoints.GetOrAdd(key, _ => new MemoryCheckpoints());

    /// <inheritdoc />
    public Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        _outputs[key] = output;
        return Task.CompletedTask;
    }

    private sealed class MemoryCheckpoints : ICheckpoints
    {
        private volatile byte[]? _state;

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

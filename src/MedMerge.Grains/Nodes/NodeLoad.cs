namespace MedMerge.Grains.Nodes;

/// <summary>
/// The work items of this node's device: shards and whole stages, counted by their stage's key. Of whole stages few run
/// at a time, whatever the number of sweeps; the others wait. Shards don't wait: their stage runs already.
/// </summary>
/// <param name="maxStages">Whole stages that run at a time.</param>
internal sealed class NodeLoad(int maxStages)
{
    private readonly SemaphoreSlim _stages = new(maxStages, maxStages);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _work = [];

    /// <summary>Number of work items, excluding one stage's; those that wait count too.</summary>
    /// <param name="except">That stage's key.</param>
    public int CountExcluding(string except)
    {
        lock (_gate) return _work.Where(stage => stage.Key != except).Sum(stage => stage.Value);
    }

    /// <summary>Counts one more, until what is returned is disposed.</summary>
    public IDisposable Add(string stage)
    {
        Count(stage, 1);
        return new Counted(this, stage);
    }

    /// <summary>Counts a whole stage, and waits for its turn to run, which ends when what is returned is disposed.</summary>
    public async Task<IDisposable> AdmitAsync(string stage, CancellationToken cancellation)
    {
        var counted = Add(stage);
        try
        {
            await _stages.WaitAsync(cancellation).ConfigureAwait(false);
            return new Admitted(this, counted);
        }
        catch
        {
            counted.Dispose();
            throw;
        }
    }

    private void Count(string stage, int change)
    {
        lock (_gate)
        {
            var count = _work.GetValueOrDefault(stage) + change;
            if (count == 0) _work.Remove(stage);
            else _work[stage] = count;
        }
    }

    private sealed class Admitted(NodeLoad load, IDisposable counted) : IDisposable
    {
        public void Dispose()
        {
            counted.Dispose();
            load._stages.Release();
        }
    }

    private sealed class Counted(NodeLoad load, string stage) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0) load.Count(stage, -1);
        }
    }
}

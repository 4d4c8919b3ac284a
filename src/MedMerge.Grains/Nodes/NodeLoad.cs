namespace MedMerge.Grains.Nodes;

/// <summary>
/// The running work items of this node's device: shards and whole stages, counted by their stage's key.
/// </summary>
internal sealed class NodeLoad
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _work = [];

    /// <summary>Number of running work items, excluding one stage's.</summary>
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

    private void Count(string stage, int change)
    {
        lock (_gate)
        {
            var count = _work.GetValueOrDefault(stage) + change;
            if (count == 0) _work.Remove(stage);
            else _work[stage] = count;
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

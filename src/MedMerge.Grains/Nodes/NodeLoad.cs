namespace MedMerge.Grains.Nodes;

/// <summary>
/// The work items of this node's device: shards and whole stages, counted by their stage's key. Whole stages run in the order of their
/// arrival, as many as there are lanes and memory for, whatever the number of sweeps; the others wait. Shards don't wait: their stage runs
/// already.
/// </summary>
/// <param name="overlapsLoading">
/// Whether one stage more than there are lanes runs, so that a lane computes while a stage loads or saves.
/// </param>
internal sealed class NodeLoad(NodeCapacity capacity, bool overlapsLoading)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _work = [];
    private readonly LinkedList<Turn> _waiting = [];
    private readonly HashSet<Turn> _running = [];

    /// <summary>Number of work items by lane, excluding one stage's; those that wait count too.</summary>
    /// <param name="except">That stage's key.</param>
    public double CountPerLane(string except) => (double)CountExcluding(except) / capacity.Slots;

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
    /// <param name="threads">Its libtorch threads.</param>
    /// <param name="memory">Bytes that it takes, by estimate.</param>
    public async Task<IDisposable> AdmitAsync(string stage, int threads, long memory, CancellationToken cancellation)
    {
        var turn = new Turn(this, Add(stage), capacity.SlotsFor(threads), memory);
        lock (_gate) _waiting.AddLast(turn);
        AdmitWaiting();
        try
        {
            await turn.Admitted.Task.WaitAsync(cancellation).ConfigureAwait(false);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>Takes slots and memory of work that doesn't wait, until what is returned is disposed.</summary>
    /// <param name="threads">Its libtorch threads.</param>
    /// <param name="memory">Bytes that it takes, by estimate.</param>
    public IDisposable Occupy(int threads, long memory)
    {
        var turn = new Turn(this, counted: null, capacity.SlotsFor(threads), memory);
        lock (_gate) _running.Add(turn);
        return turn;
    }

    private void AdmitWaiting()
    {
        lock (_gate)
        {
            while (_waiting.First?.Value is { } next && HasRoomFor(next))
            {
                _waiting.RemoveFirst();
                _running.Add(next);
                next.Admitted.SetResult();
            }
        }
    }

    /// <summary>One alone always runs: its estimate may be too high.</summary>
    private bool HasRoomFor(Turn next)
    {
        if (_running.Count == 0) return true;
        var slots = capacity.Slots + (overlapsLoading ? next.Slots : 0);
        return _running.Sum(turn => turn.Slots) + next.Slots <= slots
            && _running.Sum(turn => turn.Memory) + next.Memory <= capacity.Memory;
    }

    private void End(Turn turn)
    {
        lock (_gate)
        {
            _waiting.Remove(turn);
            _running.Remove(turn);
        }
        AdmitWaiting();
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

    private sealed class Turn(NodeLoad load, IDisposable? counted, int slots, long memory) : IDisposable
    {
        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Slots => slots;

        public long Memory => memory;

        public void Dispose()
        {
            counted?.Dispose();
            load.End(this);
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

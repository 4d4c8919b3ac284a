namespace MedMerge.Grains.Nodes;

/// <summary>How many shards are open on this node.</summary>
internal sealed class NodeLoad
{
    private int _shards;

    /// <summary>Shards now.</summary>
    public int Shards => Volatile.Read(ref _shards);

    /// <summary>One more or one less.</summary>
    public void Add(int shards) => Interlocked.Add(ref _shards, shards);
}

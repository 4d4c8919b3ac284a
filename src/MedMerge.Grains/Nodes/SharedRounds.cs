namespace MedMerge.Grains.Nodes;

/// <summary>
/// What a node looks after in its rounds, of what all nodes share: its own part, and everything in one of several rounds, should the node
/// that is responsible hang.
/// </summary>
/// <param name="backupRounds">Everything once in so many rounds.</param>
internal sealed class SharedRounds(ClusterView cluster, int backupRounds)
{
    private int _round;

    /// <summary>Begins the next round.</summary>
    public void Begin() => _round++;

    /// <summary>Whether this node looks after a sweep or schedule in this round.</summary>
    public bool Includes(string name) => cluster.IsResponsible(name) || _round % backupRounds == 0;
}

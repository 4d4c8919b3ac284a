namespace MedMerge.Grains.Placement;

/// <summary>A node that a shard could go to.</summary>
/// <param name="Work">Other shards and whole stages that run or wait there, by lane.</param>
/// <param name="Held">Fraction of the shard's inputs that the node holds already, 0 to 1.</param>
internal sealed record Candidate(string Node, double Work, double Held);

/// <summary>
/// Chooses nodes for shards: the least loaded one; a tie goes to one that holds their inputs already.
/// </summary>
internal static class ShardChoice
{
    /// <summary>
    /// What holding all inputs is worth, in shards. Less than one: a step takes as long as its most loaded node.
    /// </summary>
    private const double HeldWeight = 0.5;

    /// <summary>The node for a shard, or null where there is none.</summary>
    /// <param name="assigned">How many of the stage's other shards each node has.</param>
    /// <param name="failed">Nodes where the shard failed before: chosen only if there is no other.</param>
    /// <param name="stage">The stage's key; decides between equals, so that stages start on different nodes.</param>
    public static string? ChooseNode(
        IReadOnlyList<Candidate> nodes,
        IReadOnlyDictionary<string, int> assigned,
        IReadOnlySet<string> failed,
        string stage)
    {
        var fit = nodes.Where(node => !failed.Contains(node.Node)).ToList();
        return (fit.Count > 0 ? fit : nodes)
            .OrderBy(node => node.Work + assigned.GetValueOrDefault(node.Node) - (HeldWeight * node.Held))
            .ThenBy(node => SiloChoice.Rank(stage, node.Node))
            .ThenBy(node => node.Node, StringComparer.Ordinal)
            .FirstOrDefault()?.Node;
    }
}

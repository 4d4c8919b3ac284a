using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;

namespace MedMerge.Grains.Nodes;

/// <summary>The nodes that work can go to, with how busy each is.</summary>
internal sealed class NodeCandidates(IGrainFactory grains, ClusterView cluster, TimeProvider time)
{
    /// <summary>
    /// So many are asked: the least busy of a few is nearly as good as that of all (Mitzenmacher, The Power of Two Choices, 2001), and
    /// what placing costs does not grow with the cluster.
    /// </summary>
    private const int MaxAsked = 8;

    private static readonly TimeSpan StateTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Some of the nodes that have a kind of device now, all where they are few; others for every stage. One that does not answer soon
    /// is left out.
    /// </summary>
    /// <param name="stage">The stage to be placed, by its key; its own work does not count.</param>
    /// <param name="inputs">Keys of what it loads.</param>
    public async Task<IReadOnlyList<Candidate>> FindAsync(
        string device,
        string stage,
        IReadOnlyList<string> inputs,
        CancellationToken cancellation)
    {
        var asked = cluster.NodesWithDevice(device).OrderBy(node => SiloChoice.Rank(stage, node)).Take(MaxAsked);
        var states = asked.Select(node => StateAsync(node, stage, inputs, cancellation));
        return [.. (await Task.WhenAll(states).ConfigureAwait(false)).OfType<Candidate>()];
    }

    private async Task<Candidate?> StateAsync(
        string node,
        string stage,
        IReadOnlyList<string> inputs,
        CancellationToken cancellation)
    {
        try
        {
            var asked = grains.GetGrain<INodeGrain>(node).StateAsync(stage, inputs);
            var state = await asked.WaitAsync(StateTimeout, time, cancellation).ConfigureAwait(false);
            return new Candidate(node, state.Work, (double)state.Held / Math.Max(1, inputs.Count));
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            return null;
        }
    }
}

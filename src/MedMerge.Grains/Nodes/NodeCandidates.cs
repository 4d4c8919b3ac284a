using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;

namespace MedMerge.Grains.Nodes;

/// <summary>The nodes that work can go to, with how busy each is.</summary>
internal sealed class NodeCandidates(IGrainFactory grains, ClusterView cluster, TimeProvider time)
{
    private static readonly TimeSpan StateTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The nodes that have a kind of device now; one that does not answer soon is left out.</summary>
    /// <param name="stage">The stage to be placed, by its key; its own work does not count.</param>
    /// <param name="inputs">Keys of what it loads.</param>
    public async Task<IReadOnlyList<Candidate>> FindAsync(
        string device,
        string stage,
        IReadOnlyList<string> inputs,
        CancellationToken cancellation)
    {
        var states = cluster.NodesWithDevice(device).Select(node => StateAsync(node, stage, inputs, cancellation));
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

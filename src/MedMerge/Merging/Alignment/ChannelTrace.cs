using MedMerge.Models;
using MedMerge.Models.Graphs;

namespace MedMerge.Merging.Alignment;

/// <summary>
/// A run of an architecture's graph on the identities of channels in place of numbers. Two channels that are added to each other are one
/// from there on, and from their beginnings (union-find).
/// </summary>
internal sealed class ChannelTrace
{
    private const int ImageChannels = 3;

    private readonly Architecture _architecture;
    private readonly List<int> _parents = [];

    /// <exception cref="NotSupportedException">The graph has something whose channels are not known here.</exception>
    public ChannelTrace(Architecture architecture)
    {
        _architecture = architecture;
        var nodes = architecture.Graph.Nodes;
        var values = new int[nodes.Count + 1][];
        values[0] = Create(ImageChannels);
        for (var n = 0; n < nodes.Count; n++)
            values[n + 1] = Compute(nodes[n].Operation, [.. nodes[n].Inputs.Select(input => values[input])]);
        Values = Array.ConvertAll(values, channels => Array.ConvertAll(channels, Find));
    }

    /// <summary>The channels of each value of the graph, by its <see cref="Value.Index"/>; those of the images come first.</summary>
    public IReadOnlyList<int[]> Values { get; }

    private int[] Compute(Operation operation, int[][] inputs) => operation switch
    {
        LayerOperation layer when _architecture.Layers[layer.Index].IsChannelwise => inputs[0],
        LayerOperation layer => Create(_architecture.Layers[layer.Index].Out),
        Add => Unite(inputs[0], inputs[1]),
        Concatenation => [.. inputs.SelectMany(channels => channels)],
        PaddedShortcut padded => [.. Create(padded.Before), .. inputs[0], .. Create(padded.Behind)],
        Relu or MaxPool or AveragePool or AdaptiveAveragePool or GlobalAveragePool or Flatten => inputs[0],
        _ => throw new NotSupportedException($"The channels of the operation {operation} are not known."),
    };

    private int[] Create(int count)
    {
        var channels = Enumerable.Range(_parents.Count, count).ToArray();
        _parents.AddRange(channels);
        return channels;
    }

    private int[] Unite(int[] one, int[] other)
    {
        if (one.Length != other.Length)
            throw new NotSupportedException($"{one.Length} and {other.Length} channels can't be added.");
        foreach (var (a, b) in one.Zip(other))
        {
            var (first, second) = (Find(a), Find(b));
            _parents[Math.Max(first, second)] = Math.Min(first, second);
        }
        return one;
    }

    private int Find(int channel)
    {
        while (_parents[channel] != channel) channel = _parents[channel] = _parents[_parents[channel]];
        return channel;
    }
}

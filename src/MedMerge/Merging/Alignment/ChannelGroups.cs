using MedMerge.Models;
using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

namespace MedMerge.Merging.Alignment;

/// <summary>
/// The groups of channels that an architecture's sources may have in different orders, found by its graph: channels that the same layers
/// give and take are a group. The images' channels are in none. So a residual stream is one group, or several where shortcuts of zeros
/// widen it; each part of a concatenation is its own; and a depthwise convolution is in its input's.
/// </summary>
internal sealed class ChannelGroups
{
    /// <exception cref="NotSupportedException">The architecture has something whose channels are not known here.</exception>
    public ChannelGroups(Architecture architecture)
    {
        Architecture = architecture;
        var values = new ChannelTrace(architecture).Values;
        var shown = FindShown(architecture);
        Groups =
        [
            .. FindUses(architecture, values)
                .GroupBy(channel => string.Join(' ', channel.Uses.Select(use => use.Number)))
                .Select(same => new Alike([.. same.Select(channel => channel.Channel)], same.First().Uses))
                .Where(alike => alike.Uses.Exists(use => !use.IsInput)) // zeros of a shortcut that nothing was added to have no layer
                .OrderBy(alike => alike.First.Number)
                .ThenBy(alike => alike.Start)
                .Select(alike => Describe(alike, values, shown)),
        ];
    }

    /// <summary>What has them.</summary>
    public Architecture Architecture { get; }

    /// <summary>
    /// The groups, in the order in which their first layers run. What such a layer takes is the images or of groups before.
    /// </summary>
    public IReadOnlyList<ChannelGroup> Groups { get; }

    /// <summary>The layers that give or take each channel but those of the images.</summary>
    private static IEnumerable<(int Channel, List<LayerChannels> Uses)> FindUses(Architecture architecture, IReadOnlyList<int[]> values)
    {
        var images = values[0].ToHashSet();
        var found = new OrderedDictionary<int, List<LayerChannels>>();
        foreach (var use in FindLayers(architecture, values))
        {
            foreach (var channel in use.Channels.Where(channel => !images.Contains(channel)))
            {
                if (!found.TryGetValue(channel, out var uses)) found.Add(channel, uses = []);
                if (uses.Count > 0 && uses[^1] == use)
                    throw new NotSupportedException($"{architecture.Layers[use.Layer].Name} has a channel twice.");
                uses.Add(use);
            }
        }
        return found.Select(pair => (pair.Key, pair.Value));
    }

    private static List<LayerChannels> FindLayers(Architecture architecture, IReadOnlyList<int[]> values)
    {
        var uses = new List<LayerChannels>();
        var nodes = architecture.Graph.Nodes;
        for (var n = 0; n < nodes.Count; n++)
        {
            if (nodes[n].Operation is not LayerOperation { Index: var layer }) continue;
            if (uses.Exists(use => use.Layer == layer))
                throw new NotSupportedException($"{architecture.Layers[layer].Name} runs twice.");
            if (!architecture.Layers[layer].IsChannelwise)
                uses.Add(new LayerChannels(uses.Count, layer, IsInput: true, values[nodes[n].Inputs[0]]));
            uses.Add(new LayerChannels(uses.Count, layer, IsInput: false, values[n + 1]));
        }
        return uses;
    }

    /// <summary>
    /// The values that tell channels apart: what layers and sums give, unless it is only a term of a sum. A lone normalisation's output
    /// tells no more than its input.
    /// </summary>
    private static List<int> FindShown(Architecture architecture)
    {
        var nodes = architecture.Graph.Nodes;
        return
        [
            .. Enumerable.Range(1, nodes.Count).Where(value =>
            {
                var isComputed = nodes[value - 1].Operation switch
                {
                    LayerOperation layer => architecture.Layers[layer.Index] is not Normalisation,
                    Add => true,
                    _ => false,
                };
                return isComputed && nodes.Any(node => node.Inputs.Contains(value) && node.Operation is not Add);
            }),
        ];
    }

    private ChannelGroup Describe(Alike alike, IReadOnlyList<int[]> values, List<int> shown)
    {
        var layer = Architecture.Layers[alike.First.Layer].Name;
        return new ChannelGroup(
            alike.Start == 0 ? layer : $"{layer}[{alike.Start}]",
            alike.Channels.Length,
            [
                .. alike.Uses.Select(use => new ChannelUse(
                    use.Layer,
                    use.IsInput,
                    use.Channels.Length,
                    FindPlaces(alike.Channels, use.Channels)!)),
            ],
            [
                .. shown.Select(value => (Value: value, Places: FindPlaces(alike.Channels, values[value])))
                    .Where(found => found.Places is not null)
                    .Select(found => new ChannelValue(found.Value, found.Places!)),
            ],
            FindPlaces(alike.Channels, values[^1]));
    }

    /// <returns>Null where they are not there.</returns>
    private static int[]? FindPlaces(int[] channels, int[] among)
    {
        if (Array.IndexOf(among, channels[0]) < 0) return null; // quickly, for most
        var places = new Dictionary<int, int>();
        for (var i = 0; i < among.Length; i++) places.TryAdd(among[i], i);
        return channels.All(places.ContainsKey) ? Array.ConvertAll(channels, channel => places[channel]) : null;
    }

    /// <summary>The channels that a layer gives or takes.</summary>
    /// <param name="Number">In the order in which layers run.</param>
    private sealed record LayerChannels(int Number, int Layer, bool IsInput, int[] Channels);

    /// <summary>Channels that the same layers give and take.</summary>
    private sealed record Alike(int[] Channels, List<LayerChannels> Uses)
    {
        /// <summary>The first layer that gives them.</summary>
        public LayerChannels First => Uses.First(use => !use.IsInput);

        /// <summary>Where the first of them is there.</summary>
        public int Start => Array.IndexOf(First.Channels, Channels[0]);
    }
}

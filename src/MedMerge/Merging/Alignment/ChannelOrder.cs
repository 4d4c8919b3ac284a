using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging.Alignment;

/// <summary>An order of the channels of each group of an architecture.</summary>
/// <param name="Orders">By group: at place j comes the channel that was at <c>Orders[group][j]</c>.</param>
internal sealed record ChannelOrder(ChannelGroups Groups, IReadOnlyList<int[]> Orders)
{
    /// <summary>Whether every channel stays in its place.</summary>
    public bool IsIdentity => Orders.All(StaysInPlace);

    /// <summary>The order of the features: at place j comes the feature that was at that index.</summary>
    public int[] Features
    {
        get
        {
            var features = Enumerable.Range(0, Groups.Architecture.Features).ToArray();
            foreach (var (group, order) in Groups.Groups.Zip(Orders))
            {
                if (group.Features is not { } places) continue;
                for (var j = 0; j < places.Length; j++) features[places[j]] = places[order[j]];
            }
            return features;
        }
    }

    /// <summary>The order that leaves every channel in its place.</summary>
    public static ChannelOrder Identity(ChannelGroups groups) =>
        new(groups, [.. groups.Groups.Select(group => Enumerable.Range(0, group.Size).ToArray())]);

    /// <summary>
    /// A copy of a source with its channels in this order. It computes the same features, in that of <see cref="Features"/>.
    /// </summary>
    public PreparedSource Apply(PreparedSource source)
    {
        var layers = Groups.Architecture.Layers;
        var usesOf = Groups.Groups
            .Zip(Orders)
            .Where(pair => !StaysInPlace(pair.Second))
            .SelectMany(pair => pair.First.Uses, (pair, use) => (Use: use, Order: pair.Second))
            .ToLookup(pair => pair.Use.Layer);
        var ordered = new StateDict();
        for (var l = 0; l < layers.Count; l++)
        {
            using var scope = NewDisposeScope();
            var layer = layers[l];
            var (kernel, bias) = (source.Kernel(layer).alias(), source.Bias(layer).alias());
            var scale = source.Scale(layer)?.alias();
            var norms = source.Layers.Contains(layer.Norms) ? source.Layers[layer.Norms].alias() : null;
            foreach (var (use, order) in usesOf[l])
            {
                kernel = use.Reorder(kernel, order);
                if (use.IsInput) continue;
                bias = use.Reorder(bias, order);
                if (scale is not null) scale = use.Reorder(scale, order);
                if (norms is not null) norms = use.Reorder(norms, order);
            }
            ordered.Add(layer.Name + ".weight", kernel.clone());
            ordered.Add(layer.Name + ".bias", bias.clone());
            if (scale is not null) ordered.Add(PreparedSource.ScaleOf(layer), scale.clone());
            if (norms is not null) ordered.Add(layer.Norms, norms.clone());
        }
        return source with { Layers = ordered };
    }

    /// <summary>
    /// Where a layer's filters and the channels of its kernel's second dimension come from: at place j comes what was at that index. Null
    /// where all stay.
    /// </summary>
    public (int[]? Filters, int[]? Inputs) FindIndices(int layer)
    {
        int[]? filters = null, inputs = null;
        foreach (var (group, order) in Groups.Groups.Zip(Orders).Where(pair => !StaysInPlace(pair.Second)))
        {
            foreach (var use in group.Uses.Where(use => use.Layer == layer))
            {
                if (use.IsInput) inputs = Compose(inputs, use.Index(order));
                else filters = Compose(filters, use.Index(order));
            }
        }
        return (filters, inputs);

        static int[] Compose(int[]? first, int[] then) => first is null ? then : Array.ConvertAll(then, place => first[place]);
    }

    /// <summary>The orders of the groups that change, by name: how they are stored.</summary>
    public IReadOnlyDictionary<string, int[]> ToNamed()
    {
        var named = new OrderedDictionary<string, int[]>(StringComparer.Ordinal);
        foreach (var (group, order) in Groups.Groups.Zip(Orders))
            if (!StaysInPlace(order)) named.Add(group.Name, order);
        return named;
    }

    /// <summary>The inverse of <see cref="ToNamed"/>.</summary>
    /// <exception cref="FormatException">These are no orders of these groups.</exception>
    public static ChannelOrder FromNamed(ChannelGroups groups, IReadOnlyDictionary<string, int[]> named)
    {
        var orders = Identity(groups).Orders.ToArray();
        foreach (var (name, order) in named)
        {
            var group = groups.Groups.Index().FirstOrDefault(group => group.Item.Name == name);
            if (group.Item is null) throw new FormatException($"'{name}' names no channels of a {groups.Architecture.Title}");
            if (!order.Order().SequenceEqual(orders[group.Index]))
                throw new FormatException($"the order of the channels '{name}' is no permutation of {group.Item.Size}");
            orders[group.Index] = order;
        }
        return new ChannelOrder(groups, orders);
    }

    private static bool StaysInPlace(int[] order) => !order.Where((channel, place) => channel != place).Any();
}

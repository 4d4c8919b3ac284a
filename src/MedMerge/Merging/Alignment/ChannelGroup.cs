using MedMerge.Models.Graphs;
using static TorchSharp.torch;

namespace MedMerge.Merging.Alignment;

/// <summary>
/// Channels that may change places among themselves, wherever they occur, without changing what the network computes: those of a layer's
/// output, or of a whole residual stream.
/// </summary>
/// <param name="Name">That of the first layer that gives them; with the first channel's place in brackets where it is not 0.</param>
/// <param name="Size">How many channels.</param>
/// <param name="Uses">The layers that give or take them, in the order in which they run.</param>
/// <param name="Values">The values of the graph that show them complete: layers' outputs and sums, but no terms of sums.</param>
/// <param name="Features">Their places among the network's features; null where they are not there.</param>
internal sealed record ChannelGroup(
    string Name,
    int Size,
    IReadOnlyList<ChannelUse> Uses,
    IReadOnlyList<ChannelValue> Values,
    int[]? Features);

/// <summary>A layer that gives or takes a group's channels.</summary>
/// <param name="Layer">Into the architecture's layers.</param>
/// <param name="IsInput">Whether they are its input, the second dimension of its kernel; otherwise its filters.</param>
/// <param name="Channels">How many channels are there, those of other groups included.</param>
/// <param name="Places">Where they are among those.</param>
internal sealed record ChannelUse(int Layer, bool IsInput, int Channels, int[] Places)
{
    /// <summary>The group's part of a kernel, [size, values of a channel].</summary>
    public Tensor Rows(Tensor kernel)
    {
        var places = ToIndex(Places, kernel.device);
        return IsInput
            ? Columns(kernel).index_select(1, places).transpose(0, 1).reshape(Places.Length, -1)
            : kernel.index_select(0, places).reshape(Places.Length, -1);
    }

    /// <summary>A copy of a kernel in which the group's channels are in another order, all others where they were.</summary>
    /// <param name="order">At place j comes the channel that was at <c>order[j]</c>.</param>
    public Tensor Reorder(Tensor kernel, int[] order)
    {
        var index = ToIndex(Index(order), kernel.device);
        return IsInput ? Columns(kernel).index_select(1, index).view(kernel.shape) : kernel.index_select(0, index);
    }

    /// <summary>The index of the channel that comes to each place, [<see cref="Channels"/>].</summary>
    /// <inheritdoc cref="Reorder" path="/param" />
    public int[] Index(int[] order)
    {
        var channels = Enumerable.Range(0, Channels).ToArray();
        for (var j = 0; j < Places.Length; j++) channels[Places[j]] = Places[order[j]];
        return channels;
    }

    /// <summary>[out, channels, columns of each].</summary>
    private Tensor Columns(Tensor kernel) => kernel.view(kernel.shape[0], Channels, -1);

    private static Tensor ToIndex(int[] channels, Device device) =>
        tensor(Array.ConvertAll(channels, channel => (long)channel), device: device);
}

/// <summary>A value that has a group's channels.</summary>
/// <param name="Value">Its <see cref="Value.Index"/>.</param>
/// <param name="Places">Where they are among its channels.</param>
internal sealed record ChannelValue(int Value, int[] Places);

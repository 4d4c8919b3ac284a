using static TorchSharp.torch;

namespace MedMerge.Models.Graphs;

/// <summary>Gives one layer's output before the activation.</summary>
/// <param name="layer">Index into <see cref="Architecture.Layers"/>.</param>
/// <param name="input">[batch, in, height, width].</param>
internal delegate Tensor LayerFunction(int layer, Tensor input);

/// <summary>An operation of a network and where its inputs come from.</summary>
/// <param name="Inputs">0 for the images, i for the i-th node's output, from 1.</param>
/// <param name="Released">The inputs that nothing needs any more.</param>
/// <param name="Overwrites">Whether its output takes the place of its first input.</param>
internal sealed record Node(Operation Operation, IReadOnlyList<int> Inputs, IReadOnlyList<int> Released, bool Overwrites);

/// <summary>
/// From images to features: the operations of a network in the order in which they run. Whoever needs the structure reads it here: the
/// forward pass, the channels that alignment may permute, the export to ONNX.
/// </summary>
internal sealed class NetworkGraph
{
    /// <param name="nodes">Each with its inputs, which come before it.</param>
    public NetworkGraph(IReadOnlyList<(Operation Operation, int[] Inputs)> nodes)
    {
        var lastUse = new int[nodes.Count + 1];
        for (var n = 0; n < nodes.Count; n++)
            foreach (var input in nodes[n].Inputs) lastUse[input] = n;
        Nodes = [.. nodes.Select((node, n) => new Node(
            node.Operation,
            node.Inputs,
            Released: [.. node.Inputs.Distinct().Where(input => input > 0 && lastUse[input] == n)],
            Overwrites: node.Operation is PlainOperation { CanOverwrite: true }
                && lastUse[node.Inputs[0]] == n
                && IsUnsaved(node.Inputs[0])))];

        // What a backward pass needs must not be overwritten: a ReLU's output, say. A layer's and a sum's it does not.
        bool IsUnsaved(int value) => value > 0 && nodes[value - 1].Operation is LayerOperation or Add;
    }

    /// <summary>In the order in which they run; the last gives the features.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>The features, [batch, features]. Device thread only.</summary>
    /// <param name="images">[batch, 3, height, width].</param>
    /// <param name="apply">Its answer may be changed in place and freed; it gives a tensor of its own for every call.</param>
    /// <param name="observe">
    /// Is shown what each node gives, by its <see cref="Value.Index"/>: only until it returns, as another node may overwrite it.
    /// </param>
    public Tensor Run(Tensor images, LayerFunction apply, Action<int, Tensor>? observe = null)
    {
        using var scope = NewDisposeScope();
        var values = new Tensor[Nodes.Count + 1];
        values[0] = images;
        for (var n = 0; n < Nodes.Count; n++)
        {
            var node = Nodes[n];
            values[n + 1] = Compute(node, values, apply);
            observe?.Invoke(n + 1, values[n + 1]);
            // What the backward pass needs lives for as long as autograd refers to it.
            foreach (var input in node.Released.Where(input => !ReferenceEquals(values[input], values[n + 1]))) values[input].Dispose();
        }
        return values[^1].MoveToOuterDisposeScope();
    }

    private static Tensor Compute(Node node, Tensor[] values, LayerFunction apply)
    {
        using var scope = NewDisposeScope();
        var output = node.Operation switch
        {
            LayerOperation layer => apply(layer.Index, values[node.Inputs[0]]),
            PlainOperation plain => plain.Apply([.. node.Inputs.Select(input => values[input])], node.Overwrites),
            var other => throw new NotSupportedException($"The operation {other} can't be run."),
        };
        var isInput = node.Inputs.Any(input => ReferenceEquals(values[input], output)); // an input that it has changed
        return isInput ? output : output.MoveToOuterDisposeScope();
    }
}

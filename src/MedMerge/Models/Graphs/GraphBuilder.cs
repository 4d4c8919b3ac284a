namespace MedMerge.Models.Graphs;

/// <summary>What a node of a graph gives, or the images.</summary>
/// <param name="Index">0 for the images, then the nodes in their order.</param>
internal readonly record struct Value(int Index);

/// <summary>Builds a <see cref="NetworkGraph"/>, operation by operation, in the order in which they will run.</summary>
internal sealed class GraphBuilder
{
    private readonly List<(Operation Operation, int[] Inputs)> _nodes = [];

    /// <summary>[batch, 3, height, width].</summary>
    public Value Images => new(0);

    /// <summary>A layer of the architecture, before its activation.</summary>
    /// <param name="index">Into <see cref="Architecture.Layers"/>.</param>
    public Value Layer(int index, Value input) => Then(new LayerOperation(index), input);

    /// <summary>A layer and a ReLU.</summary>
    public Value LayerRelu(int index, Value input) => Then(new Relu(), Layer(index, input));

    /// <summary>Any other operation.</summary>
    public Value Then(Operation operation, params ReadOnlySpan<Value> inputs)
    {
        var indices = new int[inputs.Length];
        for (var i = 0; i < indices.Length; i++) indices[i] = inputs[i].Index;
        _nodes.Add((operation, indices));
        return new Value(_nodes.Count);
    }

    /// <summary>The graph, whose output is the last node's.</summary>
    public NetworkGraph Build() => new(_nodes);
}

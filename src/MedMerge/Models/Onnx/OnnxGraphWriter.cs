using System.Runtime.InteropServices;
using MedMerge.Tensors.Onnx;
using Schema = MedMerge.Tensors.Onnx.OnnxSchema;

namespace MedMerge.Models.Onnx;

/// <summary>An attribute of an ONNX operation: whole numbers, or one number.</summary>
internal readonly record struct OnnxArgument(string Name, IReadOnlyList<long>? Integers, float Number = 0)
{
    /// <summary>One whole number.</summary>
    public static OnnxArgument Of(string name, long value) => new(name, [value]) { IsList = false };

    /// <summary>Several whole numbers.</summary>
    public static OnnxArgument Of(string name, params IReadOnlyList<long> values) => new(name, values) { IsList = true };

    /// <summary>A number.</summary>
    public static OnnxArgument Of(string name, float value) => new(name, null, value);

    /// <summary>Whether it is a list, be it of one.</summary>
    public bool IsList { get; private init; }
}

/// <summary>Writes an ONNX model (onnx.proto of onnx/onnx), operation by operation.</summary>
internal sealed class OnnxGraphWriter
{
    /// <summary>The format's version 8 and operator set 17, which ONNX 1.12 (2022) brought.</summary>
    private const int FormatVersion = 8, OperatorSet = 17;

    private readonly ProtobufMessage _graph = new();
    private readonly HashSet<string> _constants = new(StringComparer.Ordinal);

    /// <summary>Adds an operation.</summary>
    /// <param name="output">The name of its value, by which others refer to it.</param>
    /// <returns>The output's name.</returns>
    public string Add(string type, string output, IReadOnlyList<string> inputs, params ReadOnlySpan<OnnxArgument> arguments)
    {
        var node = new ProtobufMessage();
        foreach (var input in inputs) node.Add(Schema.Node.Input, input);
        node.Add(Schema.Node.Output, output).Add(Schema.Node.Name, output).Add(Schema.Node.Type, type);
        foreach (var argument in arguments) node.Add(Schema.Node.Attribute, Describe(argument));
        _graph.Add(Schema.Graph.Node, node);
        return output;
    }

    /// <summary>Adds float32 numbers.</summary>
    /// <param name="values">Little-endian.</param>
    public string AddTensor(string name, IReadOnlyList<long> shape, ReadOnlyMemory<byte> values) =>
        AddTensor(name, Schema.TensorType.Float32, shape, values);

    /// <summary>Adds one float32 number, once for all that use it.</summary>
    public string AddConstant(float value)
    {
        var name = FormattableString.Invariant($"constant.{value}");
        return _constants.Add(name) ? AddTensor(name, Schema.TensorType.Float32, [], BitConverter.GetBytes(value)) : name;
    }

    /// <summary>Adds a list of whole numbers, once for all that use it.</summary>
    public string AddConstant(params long[] values)
    {
        var name = $"constant.[{string.Join(',', values)}]";
        return _constants.Add(name)
            ? AddTensor(name, Schema.TensorType.Int64, [values.Length], MemoryMarshal.AsBytes<long>(values).ToArray())
            : name;
    }

    /// <summary>The model.</summary>
    /// <param name="input">Its name and the names or sizes of its dimensions.</param>
    /// <param name="output">Its name and the names or sizes of its dimensions.</param>
    public ProtobufMessage Finish(
        string graphName,
        (string Name, string[] Dimensions) input,
        (string Name, string[] Dimensions) output,
        IReadOnlyDictionary<string, string> metadata)
    {
        _graph
            .Add(Schema.Graph.Name, graphName)
            .Add(Schema.Graph.Input, Describe(input))
            .Add(Schema.Graph.Output, Describe(output));
        var operators = new ProtobufMessage().Add(Schema.OperatorSet.Domain, "").Add(Schema.OperatorSet.Version, OperatorSet);
        var model = new ProtobufMessage()
            .Add(Schema.Model.Version, FormatVersion)
            .Add(Schema.Model.Producer, "MedMerge")
            .Add(Schema.Model.Graph, _graph)
            .Add(Schema.Model.OperatorSet, operators);
        foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            model.Add(Schema.Model.Metadata, new ProtobufMessage().Add(Schema.Entry.Key, key).Add(Schema.Entry.Value, value));
        return model;
    }

    private string AddTensor(string name, int type, IReadOnlyList<long> shape, ReadOnlyMemory<byte> values)
    {
        var tensor = new ProtobufMessage();
        foreach (var size in shape) tensor.Add(Schema.Tensor.Sizes, size);
        tensor.Add(Schema.Tensor.Type, type).Add(Schema.Tensor.Name, name).Add(Schema.Tensor.Raw, values);
        _graph.Add(Schema.Graph.Initialiser, tensor);
        return name;
    }

    private static ProtobufMessage Describe(OnnxArgument argument)
    {
        var attribute = new ProtobufMessage().Add(Schema.Attribute.Name, argument.Name);
        if (argument.Integers is not { } integers)
        {
            return attribute
                .Add(Schema.Attribute.Number, argument.Number)
                .Add(Schema.Attribute.Type, Schema.AttributeType.Number);
        }
        foreach (var integer in integers) attribute.Add(argument.IsList ? Schema.Attribute.Integers : Schema.Attribute.Integer, integer);
        return attribute.Add(
            Schema.Attribute.Type,
            argument.IsList ? Schema.AttributeType.Integers : Schema.AttributeType.Integer);
    }

    private static ProtobufMessage Describe((string Name, string[] Dimensions) value)
    {
        var shape = new ProtobufMessage();
        foreach (var dimension in value.Dimensions)
        {
            var isSize = int.TryParse(dimension, out var size);
            shape.Add(
                Schema.Shape.Dimension,
                isSize
                    ? new ProtobufMessage().Add(Schema.Shape.Size, size)
                    : new ProtobufMessage().Add(Schema.Shape.Name, dimension));
        }
        var tensor = new ProtobufMessage()
            .Add(Schema.ValueType.ElementType, Schema.TensorType.Float32)
            .Add(Schema.ValueType.Shape, shape);
        return new ProtobufMessage()
            .Add(Schema.Value.Name, value.Name)
            .Add(Schema.Value.Type, new ProtobufMessage().Add(Schema.ValueType.Tensor, tensor));
    }
}

using Google.Protobuf;

namespace MedMerge.Tensors.Onnx;

/// <summary>An operation of an ONNX graph.</summary>
/// <param name="Type">Such as <c>Conv</c>.</param>
/// <param name="Name">What messages call it; may be empty.</param>
/// <param name="Inputs">Names of values; an input that is left out has an empty one.</param>
/// <param name="Outputs">Names of values.</param>
/// <param name="Attributes">By name.</param>
internal sealed record OnnxNode(
    string Type,
    string Name,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs,
    IReadOnlyDictionary<string, OnnxAttribute> Attributes)
{
    /// <summary>How messages name it.</summary>
    public string Title => Name.Length > 0 ? $"{Type} '{Name}'" : $"{Type} of '{Outputs.FirstOrDefault()}'";

    /// <summary>An input's name; empty where it has none in that place.</summary>
    public string Input(int index) => index < Inputs.Count ? Inputs[index] : "";

    /// <summary>A whole number, or the one that several all are; null where they differ.</summary>
    public long? Integer(string attribute, long otherwise)
    {
        if (!Attributes.TryGetValue(attribute, out var found) || found.Integers.Count == 0) return otherwise;
        return found.Integers.All(value => value == found.Integers[0]) ? found.Integers[0] : null;
    }

    /// <summary>A number.</summary>
    public float Number(string attribute, float otherwise) =>
        Attributes.TryGetValue(attribute, out var found) ? found.Number : otherwise;

    /// <exception cref="InvalidProtocolBufferException">It is no such message.</exception>
    public static OnnxNode Read(ArraySegment<byte> message)
    {
        var (type, name) = ("", "");
        var (inputs, outputs) = (new List<string>(), new List<string>());
        var attributes = new Dictionary<string, OnnxAttribute>(StringComparer.Ordinal);
        foreach (var field in Protobuf.ReadFields(message))
        {
            switch (field.Number)
            {
                case OnnxSchema.Node.Input:
                    inputs.Add(field.Text);
                    break;
                case OnnxSchema.Node.Output:
                    outputs.Add(field.Text);
                    break;
                case OnnxSchema.Node.Name:
                    name = field.Text;
                    break;
                case OnnxSchema.Node.Type:
                    type = field.Text;
                    break;
                case OnnxSchema.Node.Attribute:
                    var attribute = OnnxAttribute.Read(field.Bytes);
                    attributes[attribute.Name] = attribute;
                    break;
            }
        }
        return new OnnxNode(type, name, inputs, outputs, attributes);
    }
}

/// <summary>What an operation is given besides values.</summary>
/// <param name="Integers">A whole number, or several.</param>
/// <param name="Tensor">A message; empty where it is none.</param>
internal sealed record OnnxAttribute(string Name, float Number, IReadOnlyList<long> Integers, ArraySegment<byte> Tensor)
{
    /// <exception cref="InvalidProtocolBufferException">It is no such message.</exception>
    public static OnnxAttribute Read(ArraySegment<byte> message)
    {
        var (name, number) = ("", 0f);
        var integers = new List<long>();
        var tensor = ArraySegment<byte>.Empty;
        foreach (var field in Protobuf.ReadFields(message))
        {
            switch (field.Number)
            {
                case OnnxSchema.Attribute.Name:
                    name = field.Text;
                    break;
                case OnnxSchema.Attribute.Number:
                    number = BitConverter.UInt32BitsToSingle((uint)field.Value);
                    break;
                case OnnxSchema.Attribute.Tensor:
                    tensor = field.Bytes;
                    break;
                case OnnxSchema.Attribute.Integer or OnnxSchema.Attribute.Integers:
                    integers.AddRange(field.Integers);
                    break;
            }
        }
        return new OnnxAttribute(name, number, integers, tensor);
    }
}

using Google.Protobuf;

namespace MedMerge.Tensors.Onnx;

/// <summary>An ONNX model (onnx.proto of onnx/onnx: ModelProto), as far as weights need it.</summary>
/// <param name="Nodes">In the order in which they run.</param>
/// <param name="Tensors">The initialisers, and the tensors of nodes that give a constant or another's value, by the values' names.</param>
/// <param name="Metadata">What its <c>metadata_props</c> hold.</param>
internal sealed record OnnxFile(
    IReadOnlyList<OnnxNode> Nodes,
    IReadOnlyCollection<StoredTensor> Tensors,
    IReadOnlyDictionary<string, string> Metadata)
{
    private const byte VersionTag = OnnxSchema.Model.Version << 3;

    /// <summary>An operation may have two bytes in the file, and takes a hundred times as many in memory.</summary>
    private const int MaxNodes = 1_000_000;

    /// <summary>
    /// Whether a file that is not safetensors may be an ONNX model: it starts with the format's version, a small number, and a field of
    /// bytes or the model's version follows. The format has no other mark.
    /// </summary>
    public static bool LooksLike(ReadOnlySpan<byte> start) =>
        start is [VersionTag, > 0 and < 0x80, 0x12 or 0x1a or 0x22 or 0x28 or 0x32 or 0x3a or 0x42, ..];

    /// <exception cref="FormatException">It is damaged, or holds what is not read.</exception>
    public static OnnxFile Read(byte[] file)
    {
        try
        {
            return ReadModel(file);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new FormatException($"it is damaged or truncated ({error.Message.TrimEnd('.')})", error);
        }
    }

    private static OnnxFile ReadModel(byte[] file)
    {
        var graph = ArraySegment<byte>.Empty;
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in Protobuf.ReadFields(file))
        {
            if (field.Number == OnnxSchema.Model.Graph) graph = field.Bytes;
            if (field.Number != OnnxSchema.Model.Metadata) continue;
            var entry = Protobuf.ReadFields(field.Bytes).ToLookup(part => part.Number, part => part.Text);
            metadata[entry[OnnxSchema.Entry.Key].LastOrDefault() ?? ""] = entry[OnnxSchema.Entry.Value].LastOrDefault() ?? "";
        }
        if (graph.Count == 0) throw new FormatException("it holds no graph");
        var nodes = new List<OnnxNode>();
        var tensors = new OrderedDictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var field in Protobuf.ReadFields(graph))
        {
            if (field.Number == OnnxSchema.Graph.Node)
            {
                if (nodes.Count == MaxNodes) throw new FormatException($"its graph has more than {MaxNodes} operations");
                nodes.Add(OnnxNode.Read(field.Bytes));
            }
            if (field.Number == OnnxSchema.Graph.Initialiser) Add(OnnxTensor.Read(field.Bytes));
        }
        foreach (var node in nodes)
        {
            if (node.Outputs is not [var output]) continue;
            if (node.Type == "Constant" && node.Attributes.TryGetValue("value", out var constant) && constant.Tensor.Count > 0)
                Add(OnnxTensor.Read(constant.Tensor, output));
            if (node.Type == "Identity" && tensors.TryGetValue(node.Input(0), out var original)) Add(original with { Name = output });
        }
        return new OnnxFile(nodes, tensors.Values, metadata);

        void Add(StoredTensor tensor)
        {
            if (!tensors.TryAdd(tensor.Name, tensor)) throw new FormatException($"the tensor '{tensor.Name}' is there twice");
        }
    }
}

using System.Buffers.Binary;
using Google.Protobuf;
using Fields = MedMerge.Tensors.Onnx.OnnxSchema.Tensor;

namespace MedMerge.Tensors.Onnx;

/// <summary>A tensor of an ONNX file (TensorProto): its values as bytes, or as numbers of the wire format.</summary>
internal static class OnnxTensor
{
    private const int External = 1;

    /// <summary>Of TensorProto.DataType, by its number, those that are read, by safetensors' names.</summary>
    private static readonly Dictionary<int, string> Types = new()
    {
        [1] = "F32",
        [2] = "U8",
        [3] = "I8",
        [5] = "I16",
        [6] = "I32",
        [7] = "I64",
        [9] = "BOOL",
        [10] = "F16",
        [11] = "F64",
        [16] = "BF16",
    };

    /// <summary>Reads a tensor; its values are read when they are asked for.</summary>
    /// <param name="name">In place of its own name.</param>
    /// <exception cref="FormatException">Its values lie elsewhere, or are not as many as its shape says.</exception>
    /// <exception cref="InvalidProtocolBufferException">It is no such message.</exception>
    public static StoredTensor Read(ArraySegment<byte> message, string? name = null)
    {
        var ownName = "";
        var shape = new List<long>();
        var typeNumber = 0;
        var isExternal = false;
        var content = new List<ProtobufField>();
        foreach (var field in Protobuf.ReadFields(message))
        {
            switch (field.Number)
            {
                case Fields.Sizes:
                    shape.AddRange(field.Integers);
                    break;
                case Fields.Type:
                    typeNumber = (int)field.Value;
                    break;
                case Fields.Name:
                    ownName = field.Text;
                    break;
                case Fields.Location:
                    isExternal = field.Value == External;
                    break;
                case Fields.Raw or Fields.Floats or Fields.Integers or Fields.LongIntegers or Fields.Doubles:
                    content.Add(field);
                    break;
            }
        }
        name ??= ownName;
        CheckRange(name, shape);
        if (isExternal)
            throw new FormatException($"the values of '{name}' lie in another file, which is not read: save the model in one file");
        var type = Types.TryGetValue(typeNumber, out var typeName) ? ElementType.Named(typeName) : null;
        if (type is null) return new StoredTensor(name, $"ONNX type {typeNumber}", shape, OpenValues: null);
        var length = shape.Aggregate((long)type.Size, (product, size) => product * size);
        var values = ReadValues(content, type, length);
        if (values.Length != length)
            throw new FormatException($"tensor '{name}' of shape {Show(shape)} needs {length} bytes and has {values.Length}");
        return new StoredTensor(name, type.Name, shape, () => (offset, buffer) =>
            values.Span.Slice((int)offset, buffer.Length).CopyTo(buffer));
    }

    /// <summary>The values, little-endian.</summary>
    /// <param name="length">Not many more bytes than so many are read.</param>
    private static ReadOnlyMemory<byte> ReadValues(List<ProtobufField> content, ElementType type, long length)
    {
        if (content is [var whole] && IsPlain(whole)) return whole.Bytes; // as they are
        using var values = new MemoryStream();
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        foreach (var field in content)
        {
            if (IsPlain(field))
            {
                values.Write(field.Bytes);
                continue;
            }
            // Whole numbers; also the bits of 16-bit floating-point ones.
            foreach (var value in field.Integers)
            {
                if (values.Length > length) break;
                BinaryPrimitives.WriteInt64LittleEndian(number, value);
                values.Write(number[..type.Size]);
            }
        }
        return values.ToArray();
    }

    /// <summary>Whether a field's bytes are the values' own.</summary>
    private static bool IsPlain(ProtobufField field) => field is { Number: Fields.Raw or Fields.Floats or Fields.Doubles, IsBytes: true };

    private static void CheckRange(string name, List<long> shape)
    {
        // A size of zero hides no other that is out of range.
        var bound = shape.Aggregate(1.0, (product, size) => product * Math.Max(size, 1));
        if (shape.Exists(size => size < 0) || bound > Array.MaxLength)
            throw new FormatException($"tensor '{name}' has the shape {Show(shape)}, which is out of range");
    }

    private static string Show(List<long> shape) => $"[{string.Join(", ", shape)}]";
}

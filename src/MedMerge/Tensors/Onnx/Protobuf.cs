using System.Text;
using Google.Protobuf;

namespace MedMerge.Tensors.Onnx;

/// <summary>A field of a protobuf message.</summary>
/// <param name="Number">What it is, by the message's definition.</param>
/// <param name="Value">A number's bits; 0 for other fields.</param>
/// <param name="Bytes">A text, a message or packed numbers: a part of the file, not a copy; empty for other fields.</param>
internal readonly record struct ProtobufField(int Number, ulong Value, ArraySegment<byte> Bytes)
{
    /// <summary>Whether it has bytes, be it none.</summary>
    public bool IsBytes => Bytes.Array is not null;

    /// <summary>Its bytes as a text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Its whole number, or several that are packed.</summary>
    /// <exception cref="InvalidProtocolBufferException">Its bytes are not packed numbers.</exception>
    public IEnumerable<long> Integers => IsBytes ? Protobuf.ReadVarints(Bytes) : [(long)Value];
}

/// <summary>Reads protobuf messages field by field (protobuf.dev, "Encoding"). What they hold is not copied.</summary>
internal static class Protobuf
{
    /// <summary>The fields of a message in their order, groups left out.</summary>
    /// <exception cref="InvalidProtocolBufferException">They are no message, or one that is cut off.</exception>
    public static IEnumerable<ProtobufField> ReadFields(ArraySegment<byte> message)
    {
        var input = new CodedInputStream(message.Array ?? [], message.Offset, message.Count);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            switch (WireFormat.GetTagWireType(tag))
            {
                case WireFormat.WireType.Varint:
                    yield return new ProtobufField(number, input.ReadUInt64(), default);
                    break;
                case WireFormat.WireType.Fixed32:
                    yield return new ProtobufField(number, input.ReadFixed32(), default);
                    break;
                case WireFormat.WireType.Fixed64:
                    yield return new ProtobufField(number, input.ReadFixed64(), default);
                    break;
                case WireFormat.WireType.LengthDelimited:
                    yield return new ProtobufField(number, 0, SkipBytes(input, message.Array!));
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    /// <summary>Packed numbers of variable length.</summary>
    /// <inheritdoc cref="ReadFields" path="/exception" />
    public static IEnumerable<long> ReadVarints(ArraySegment<byte> packed)
    {
        var input = new CodedInputStream(packed.Array!, packed.Offset, packed.Count);
        while (!input.IsAtEnd) yield return input.ReadInt64();
    }

    /// <summary>Skips a field of bytes and says where they are; <see cref="CodedInputStream.ReadBytes"/> would copy them.</summary>
    private static ArraySegment<byte> SkipBytes(CodedInputStream input, byte[] file)
    {
        var start = (int)input.Position;
        input.SkipLastField();
        var end = (int)input.Position;
        var length = new CodedInputStream(file, start, end - start).ReadLength();
        return new ArraySegment<byte>(file, end - length, length);
    }
}

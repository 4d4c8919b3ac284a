using System.Text;
using Google.Protobuf;

namespace MedMerge.Tensors.Onnx;

/// <summary>Writes a protobuf message field by field (protobuf.dev, "Encoding"). What it is given is not copied.</summary>
internal sealed class ProtobufMessage
{
    private readonly List<ReadOnlyMemory<byte>> _parts = [];

    /// <summary>In bytes.</summary>
    public long Length { get; private set; }

    /// <summary>Adds a whole number.</summary>
    public ProtobufMessage Add(int field, long value)
    {
        AppendHeader(field, WireFormat.WireType.Varint, CodedOutputStream.ComputeInt64Size(value), output => output.WriteInt64(value));
        return this;
    }

    /// <summary>Adds a number.</summary>
    public ProtobufMessage Add(int field, float value)
    {
        AppendHeader(field, WireFormat.WireType.Fixed32, sizeof(float), output => output.WriteFloat(value));
        return this;
    }

    /// <summary>Adds a text.</summary>
    public ProtobufMessage Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Adds bytes.</summary>
    public ProtobufMessage Add(int field, ReadOnlyMemory<byte> value)
    {
        AppendLength(field, value.Length);
        Append(value);
        return this;
    }

    /// <summary>Adds a message as it is now.</summary>
    /// <exception cref="InputException">It has more than 2 GiB, which no message may.</exception>
    public ProtobufMessage Add(int field, ProtobufMessage message)
    {
        if (message.Length > int.MaxValue) throw new InputException("The model has more than 2 GiB, which an ONNX file can't hold.");
        AppendLength(field, (int)message.Length);
        foreach (var part in message._parts) Append(part);
        return this;
    }

    /// <summary>Writes the message.</summary>
    public async Task WriteAsync(Stream stream, CancellationToken cancellation)
    {
        foreach (var part in _parts) await stream.WriteAsync(part, cancellation).ConfigureAwait(false);
    }

    /// <summary>The message in one piece.</summary>
    public byte[] ToArray()
    {
        using var stream = new MemoryStream();
        foreach (var part in _parts) stream.Write(part.Span);
        return stream.ToArray();
    }

    private void AppendLength(int field, int length) => AppendHeader(
        field,
        WireFormat.WireType.LengthDelimited,
        CodedOutputStream.ComputeLengthSize(length),
        output => output.WriteLength(length));

    private void AppendHeader(int field, WireFormat.WireType type, int size, Action<CodedOutputStream> write)
    {
        var header = new byte[CodedOutputStream.ComputeTagSize(field) + size];
        using var output = new CodedOutputStream(header);
        output.WriteTag(field, type);
        write(output);
        Append(header);
    }

    private void Append(ReadOnlyMemory<byte> part)
    {
        _parts.Add(part);
        Length += part.Length;
    }
}

namespace MedMerge.Storage.Tests.Faults;

/// <summary>Zeros that can't be read beyond a position, as of a file on a damaged disk.</summary>
internal sealed class BrokenStream(long length, long breaksAt) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (Position + count > breaksAt) throw new InvalidDataException("the disk is damaged");
        Array.Clear(buffer, offset, count);
        Position += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

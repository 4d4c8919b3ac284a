using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MedMerge.Data.Formats.Images.Dicom;

/// <summary>The elements of a DICOM file up to its pixels, little endian (DICOM PS3.5, section 7, and PS3.10).</summary>
internal sealed class DicomElements
{
    private const int PreambleLength = 128;
    private const uint UndefinedLength = uint.MaxValue;
    private const int MaxDepth = 32; // of sequences within sequences
    private const uint TransferSyntaxTag = 0x00020010, PixelDataTag = 0x7fe00010;
    private const uint ItemTag = 0xfffee000, ItemEndTag = 0xfffee00d, SequenceEndTag = 0xfffee0dd;

    private readonly Dictionary<uint, ReadOnlyMemory<byte>> _values = [];
    private readonly ReadOnlyMemory<byte> _file;
    private int _place = PreambleLength + 4;

    private DicomElements(ReadOnlyMemory<byte> file) => _file = file;

    /// <summary>The UID of how the data are written.</summary>
    public string TransferSyntax { get; private set; } = TransferSyntaxes.Implicit;

    /// <summary>The pixels, or the parts that compressed ones come in, without the table of offsets.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pixels { get; private set; } = [];

    /// <summary>Whether a file says that it is one.</summary>
    public static bool IsDicom(ReadOnlySpan<byte> file) => file.Length > PreambleLength && file[PreambleLength..].StartsWith("DICM"u8);

    /// <summary>Reads a file's elements.</summary>
    /// <exception cref="FormatException">It is cut off, malformed, or of a transfer syntax that is not read.</exception>
    public static DicomElements Read(ReadOnlyMemory<byte> file)
    {
        var elements = new DicomElements(file);
        elements.ReadAll();
        return elements;
    }

    /// <summary>An unsigned number of 16 bits; null if it is not there.</summary>
    public int? FindNumber(uint tag) =>
        _values.TryGetValue(tag, out var value) && value.Length >= sizeof(ushort)
            ? BinaryPrimitives.ReadUInt16LittleEndian(value.Span)
            : null;

    /// <summary>An unsigned number of 16 bits.</summary>
    /// <exception cref="FormatException">It is not there.</exception>
    public int GetNumber(uint tag, string name) => FindNumber(tag) ?? throw new FormatException($"it has no {name}");

    /// <summary>A text without the spaces around it; null if it is empty or not there.</summary>
    public string? FindText(uint tag)
    {
        if (!_values.TryGetValue(tag, out var value)) return null;
        var text = Encoding.ASCII.GetString(value.Span).Trim(' ', '\0');
        return text.Length > 0 ? text : null;
    }

    /// <summary>The first of a text's numbers; null if it is empty or not there.</summary>
    /// <exception cref="FormatException">It is no number.</exception>
    public double? FindDecimal(uint tag) =>
        FindText(tag)?.Split('\\')[0] is { } text ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) : null;

    private void ReadAll()
    {
        while (_place < _file.Length)
        {
            var tag = PeekTag();
            var isMeta = tag >> 16 == 0x0002; // written explicitly, whatever follows
            if (!isMeta && _values.Remove(TransferSyntaxTag, out var syntax))
            {
                TransferSyntax = Encoding.ASCII.GetString(syntax.Span).TrimEnd('\0', ' ');
                TransferSyntaxes.Check(TransferSyntax);
            }
            var length = ReadHeader(isMeta || TransferSyntax != TransferSyntaxes.Implicit, out var isSequence);
            if (tag == PixelDataTag)
            {
                Pixels = length == UndefinedLength ? ReadFragments() : [Take(length)];
                return;
            }
            if (length == UndefinedLength) SkipSequence(depth: 0, isExplicit: isSequence);
            else _values[tag] = Take(length);
        }
    }

    private uint PeekTag()
    {
        var bytes = Look(4);
        return ((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16) | BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
    }

    /// <summary>Reads tag, representation and length.</summary>
    /// <param name="isSequence">Whether the element says that it is a sequence; one that doesn't is written implicitly.</param>
    private uint ReadHeader(bool isExplicit, out bool isSequence)
    {
        isSequence = false;
        var isItem = PeekTag() is ItemTag or ItemEndTag or SequenceEndTag;
        if (!isExplicit || isItem) return ReadLength(Take(8).Span[4..]);
        var header = Take(8).Span;
        var representation = Encoding.ASCII.GetString(header[4..6]);
        isSequence = representation == "SQ";
        var isLong = representation is "OB" or "OD" or "OF" or "OL" or "OV" or "OW" or "SQ" or "SV" or "UC" or "UN" or "UR" or "UT" or "UV";
        return isLong ? ReadLength(Take(4).Span) : BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
    }

    private void SkipSequence(int depth, bool isExplicit)
    {
        if (depth > MaxDepth) throw new FormatException($"its sequences are nested more than {MaxDepth} deep");
        while (true)
        {
            var tag = PeekTag();
            var length = ReadHeader(isExplicit, out _);
            if (tag == SequenceEndTag) return;
            if (tag != ItemTag) throw new FormatException("a sequence of it holds what is no item");
            if (length != UndefinedLength) Take(length);
            else SkipItem(depth, isExplicit);
        }
    }

    private void SkipItem(int depth, bool isExplicit)
    {
        while (true)
        {
            var tag = PeekTag();
            var length = ReadHeader(isExplicit, out var isSequence);
            if (tag == ItemEndTag) return;
            if (length == UndefinedLength) SkipSequence(depth + 1, isExplicit: isSequence);
            else Take(length);
        }
    }

    private List<ReadOnlyMemory<byte>> ReadFragments()
    {
        var fragments = new List<ReadOnlyMemory<byte>>();
        while (PeekTag() != SequenceEndTag)
        {
            if (PeekTag() != ItemTag) throw new FormatException("its pixels hold what is no item");
            fragments.Add(Take(ReadHeader(isExplicit: true, out _)));
        }
        return fragments.Count > 1 ? fragments[1..] : throw new FormatException("it has no pixels");
    }

    private static uint ReadLength(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private ReadOnlySpan<byte> Look(int length) =>
        length <= _file.Length - _place ? _file.Span.Slice(_place, length) : throw new FormatException("it is cut off");

    private ReadOnlyMemory<byte> Take(uint length)
    {
        if (length > _file.Length - _place) throw new FormatException("it is cut off");
        var value = _file.Slice(_place, (int)length);
        _place += (int)length;
        return value;
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MedMerge.Data.Formats;

/// <summary>
/// The header of the .npy format (numpy/lib/format.py): magic <c>\x93NUMPY</c>, version, header length (u16, u32 from version 2), then a
/// Python dictionary literal with the keys <c>descr</c>, <c>fortran_order</c> and <c>shape</c> in any order.
/// </summary>
/// <param name="Descr">The element type as NumPy describes it: <c>|u1</c>, <c>&lt;i8</c>.</param>
/// <param name="IsFortran">Whether the first index runs fastest.</param>
/// <param name="Shape">The sizes.</param>
/// <param name="Length">Bytes from the start of the file to the first element.</param>
internal sealed record NpyHeader(string Descr, bool IsFortran, int[] Shape, int Length)
{
    private const int MaxLength = 1 << 20;
    private const int MagicLength = 8;

    /// <summary>Reads a header; the stream is left at the first element.</summary>
    /// <exception cref="FormatException">It is torn, or not a NumPy array's.</exception>
    public static NpyHeader Read(Stream stream)
    {
        var magic = ReadExactly(stream, MagicLength);
        if (magic[0] != 0x93 || !magic.AsSpan(1, 5).SequenceEqual("NUMPY"u8)) throw new FormatException("it is not a NumPy array");
        var lengthBytes = magic[6] == 1 ? sizeof(ushort) : sizeof(int);
        var lengthField = ReadExactly(stream, lengthBytes);
        var length = lengthBytes == sizeof(ushort)
            ? BinaryPrimitives.ReadUInt16LittleEndian(lengthField)
            : BinaryPrimitives.ReadInt32LittleEndian(lengthField);
        if (length is < 0 or > MaxLength) throw new FormatException("its header's length makes no sense");
        var text = Encoding.Latin1.GetString(ReadExactly(stream, length));
        return new Parser(text).ReadHeader(MagicLength + lengthBytes + length);
    }

    private static byte[] ReadExactly(Stream stream, int length)
    {
        var bytes = new byte[length];
        return stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false) == length
            ? bytes
            : throw new FormatException("it is truncated");
    }

    /// <summary>Reads the few forms of Python literals that headers have.</summary>
    private sealed class Parser(string text)
    {
        private int _at;

        public NpyHeader ReadHeader(int length)
        {
            string? descr = null;
            bool? isFortran = null;
            int[]? shape = null;
            Expect('{');
            while (!TryTake('}'))
            {
                var key = ReadText();
                Expect(':');
                if (key == "descr")
                {
                    descr = ReadDescr();
                }
                else if (key == "fortran_order")
                {
                    isFortran = ReadTruth();
                }
                else if (key == "shape")
                {
                    shape = ReadShape();
                }
                else
                {
                    throw Unreadable();
                }
                if (TryTake(',')) continue;
                Expect('}');
                break;
            }
            return descr is not null && isFortran is { } order && shape is not null
                ? new NpyHeader(descr, order, shape, length)
                : throw Unreadable();
        }

        /// <summary>A text; a list describes a structured type, which is not read.</summary>
        private string ReadDescr() => TryTake('[')
            ? throw new FormatException("its values are structured, and not one number each")
            : ReadText();

        private string ReadText()
        {
            SkipSpace();
            var quote = Peek();
            if (quote is not ('\'' or '"')) throw Unreadable();
            var end = text.IndexOf(quote, _at + 1);
            if (end < 0) throw Unreadable();
            var value = text[(_at + 1)..end];
            _at = end + 1;
            return value;
        }

        private bool ReadTruth()
        {
            if (TryTake("True")) return true;
            return TryTake("False") ? false : throw Unreadable();
        }

        private int[] ReadShape()
        {
            var sizes = new List<int>();
            Expect('(');
            while (!TryTake(')'))
            {
                sizes.Add(ReadSize());
                if (TryTake(',')) continue;
                Expect(')');
                break;
            }
            return [.. sizes];
        }

        /// <summary>A whole number; Python 2 wrote long ones with an L behind them.</summary>
        private int ReadSize()
        {
            SkipSpace();
            var start = _at;
            while (char.IsAsciiDigit(Peek())) _at++;
            var isNumber = int.TryParse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var size);
            if (!isNumber) throw Unreadable();
            TryTake('L');
            return size;
        }

        private void Expect(char character)
        {
            if (!TryTake(character)) throw Unreadable();
        }

        private bool TryTake(char character)
        {
            SkipSpace();
            if (Peek() != character) return false;
            _at++;
            return true;
        }

        private bool TryTake(string word)
        {
            SkipSpace();
            if (!text.AsSpan(_at).StartsWith(word, StringComparison.Ordinal)) return false;
            _at += word.Length;
            return true;
        }

        private void SkipSpace()
        {
            while (char.IsWhiteSpace(Peek())) _at++;
        }

        private char Peek() => _at < text.Length ? text[_at] : '\0';

        private static FormatException Unreadable() => new("its header can't be read");
    }
}

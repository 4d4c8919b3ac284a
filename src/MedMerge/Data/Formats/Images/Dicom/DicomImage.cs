using System.Buffers.Binary;

namespace MedMerge.Data.Formats.Images.Dicom;

/// <summary>
/// A single frame of a DICOM file as bytes. Grey values are rescaled as the file says, then shown through its window (DICOM PS3.3,
/// C.11.2.1.2); without a window through that from the 0.5th to the 99.5th percentile, unless they are bytes already.
/// </summary>
internal sealed class DicomImage
{
    private const double LowShare = 0.005, HighShare = 0.995;
    private readonly DicomElements _elements;
    private readonly string _photometric;
    private readonly int _samples;
    private readonly int _bitsAllocated;
    private readonly int _bitsStored;
    private readonly int _shift;
    private readonly bool _isSigned;

    /// <summary>Reads what a file says about its image.</summary>
    /// <exception cref="FormatException">It is malformed, or not of the kind that is read.</exception>
    public DicomImage(ReadOnlyMemory<byte> file)
    {
        _elements = DicomElements.Read(file);
        if (_elements.Pixels.Count == 0) throw new FormatException("it has no pixels");
        var frames = _elements.FindDecimal(0x00280008) ?? 1;
        if (frames > 1) throw new FormatException($"it has {frames} frames; only single frames are read");
        Height = _elements.GetNumber(0x00280010, "number of rows");
        Width = _elements.GetNumber(0x00280011, "number of columns");
        _samples = _elements.FindNumber(0x00280002) ?? 1;
        _photometric = _elements.FindText(0x00280004) ?? "";
        _bitsAllocated = _elements.GetNumber(0x00280100, "number of bits");
        _bitsStored = _elements.FindNumber(0x00280101) ?? _bitsAllocated;
        _shift = (_elements.FindNumber(0x00280102) ?? (_bitsStored - 1)) + 1 - _bitsStored;
        _isSigned = _elements.FindNumber(0x00280103) == 1;
        var isGrey = _samples == 1 && _photometric is "MONOCHROME1" or "MONOCHROME2";
        var isColour = _samples == 3 && _bitsAllocated == 8 && _photometric is "RGB" or "YBR_FULL" or "YBR_FULL_422";
        if (!isGrey && !isColour)
            throw new FormatException($"its pixels are {_photometric} with {_samples} values of {_bitsAllocated} bits");
        var areBitsRead = _bitsAllocated is 8 or 16 && _bitsStored >= 1 && _bitsStored <= _bitsAllocated && _shift >= 0
            && _shift + _bitsStored <= _bitsAllocated;
        if (!areBitsRead) throw new FormatException($"its values have {_bitsStored} of {_bitsAllocated} bits; 1 to 16 of 8 or 16 are read");
    }

    /// <summary>Pixels from top to bottom.</summary>
    public int Height { get; }

    /// <summary>Pixels from left to right.</summary>
    public int Width { get; }

    private int BytesPerValue => _bitsAllocated / 8;

    /// <summary>The image, grey or RGB.</summary>
    /// <param name="decodeJpeg">Decodes a baseline JPEG, with a check of its width and height before.</param>
    /// <exception cref="FormatException">There are not as many pixels as it says.</exception>
    public DecodedImage Decode(Func<byte[], Action<int, int>, DecodedImage> decodeJpeg)
    {
        if (_elements.TransferSyntax == TransferSyntaxes.JpegBaseline) return DecodeJpeg(decodeJpeg);
        var isRunLength = _elements.TransferSyntax == TransferSyntaxes.RunLength;
        var length = Height * Width * _samples * BytesPerValue;
        var pixels = _elements.Pixels[0];
        var bytes = isRunLength ? RunLengths.Decode(pixels.Span, Height * Width, _samples, BytesPerValue) : pixels.Span;
        if (bytes.Length < length) throw new FormatException($"it has {bytes.Length} bytes of pixels instead of {length}");
        bytes = bytes[..length];
        if (_samples == 1) return Show(bytes, BytesPerValue, GetValue);
        var isPlanar = isRunLength || _elements.FindNumber(0x00280006) == 1;
        return ReadColours(isPlanar ? Interleave(bytes) : bytes.ToArray());
    }

    private DecodedImage DecodeJpeg(Func<byte[], Action<int, int>, DecodedImage> decode)
    {
        var image = decode([.. _elements.Pixels.SelectMany(fragment => fragment.ToArray())], (width, height) =>
        {
            if (width != Width || height != Height)
                throw new FormatException($"its JPEG has {width} × {height} pixels instead of {Width} × {Height}");
        });
        return _samples == 1 ? Show(image.WithChannels(1).Pixels, bytesPerValue: 1, value => value) : image;
    }

    /// <summary>
    /// The bytes that stored values are shown as. There are at most 65536 of these: each is shown once, whatever the image's size.
    /// </summary>
    /// <param name="stored">[height × width], little-endian.</param>
    /// <param name="getValue">The number that a stored value is.</param>
    private DecodedImage Show(ReadOnlySpan<byte> stored, int bytesPerValue, Func<int, int> getValue)
    {
        var levels = 1 << (8 * bytesPerValue);
        var counts = new int[levels];
        var pixels = Height * Width;
        for (var i = 0; i < pixels; i++) counts[Get(stored, i)]++;
        var shown = Show([.. Enumerable.Range(0, levels).Select(getValue)], counts);
        var bytes = new byte[pixels];
        for (var i = 0; i < pixels; i++) bytes[i] = shown[Get(stored, i)];
        return new DecodedImage(Width, Height, 1, bytes);

        int Get(ReadOnlySpan<byte> all, int i) =>
            bytesPerValue == 1 ? all[i] : BinaryPrimitives.ReadUInt16LittleEndian(all[(2 * i)..]);
    }

    /// <summary>The number that a stored value's bits are.</summary>
    private int GetValue(int stored)
    {
        var unused = 32 - _bitsStored;
        var top = (uint)stored >> _shift << unused;
        return _isSigned ? (int)top >> unused : (int)(top >> unused);
    }

    /// <param name="numbers">Those that can be stored.</param>
    /// <param name="counts">Pixels of each.</param>
    private byte[] Show(int[] numbers, int[] counts)
    {
        var (slope, intercept) = (_elements.FindDecimal(0x00281053) ?? 1, _elements.FindDecimal(0x00281052) ?? 0);
        var values = Array.ConvertAll(numbers, number => (number * slope) + intercept);
        var (centre, width) = (_elements.FindDecimal(0x00281050), _elements.FindDecimal(0x00281051));
        byte[] bytes;
        var areBytes = _bitsStored == 8 && !_isSigned && slope == 1 && intercept == 0;
        if (centre is { } middle && width is >= 1) bytes = Array.ConvertAll(values, value => ToByte(Window(value, middle, width.Value)));
        else if (areBytes) bytes = Array.ConvertAll(numbers, number => (byte)number);
        else bytes = Stretch(values, counts);
        return _photometric == "MONOCHROME1" ? Array.ConvertAll(bytes, value => (byte)(byte.MaxValue - value)) : bytes;
    }

    private static double Window(double value, double centre, double width)
    {
        if (value <= centre - 0.5 - ((width - 1) / 2)) return 0;
        if (value > centre - 0.5 + ((width - 1) / 2)) return 1;
        return ((value - (centre - 0.5)) / (width - 1)) + 0.5;
    }

    private static byte[] Stretch(double[] values, int[] counts)
    {
        var last = counts.Sum() - 1;
        var order = Enumerable.Range(0, values.Length).Where(i => counts[i] > 0).OrderBy(i => values[i]).ToList();
        var low = FindAt((int)Math.Floor(LowShare * last));
        var high = FindAt((int)Math.Ceiling(HighShare * last));
        return high > low ? Array.ConvertAll(values, value => ToByte((value - low) / (high - low))) : new byte[values.Length];

        // The value of the pixel at that place, were they sorted.
        double FindAt(int place)
        {
            foreach (var i in order)
            {
                if (place < counts[i]) return values[i];
                place -= counts[i];
            }
            return values[order[^1]];
        }
    }

    private static byte ToByte(double share) => (byte)Math.Floor((Math.Clamp(share, 0, 1) * byte.MaxValue) + 0.5);

    /// <summary>From one plane for each colour.</summary>
    private byte[] Interleave(ReadOnlySpan<byte> planes)
    {
        var count = Height * Width;
        var pixels = new byte[count * _samples];
        for (var i = 0; i < count; i++)
        {
            for (var sample = 0; sample < _samples; sample++) pixels[(i * _samples) + sample] = planes[(sample * count) + i];
        }
        return pixels;
    }

    private DecodedImage ReadColours(byte[] pixels)
    {
        if (_photometric == "YBR_FULL_422") throw new FormatException("its colours are YBR_FULL_422 without compression");
        if (_photometric == "YBR_FULL")
        {
            for (var i = 0; i < pixels.Length; i += 3)
            {
                var (y, blue, red) = (pixels[i], pixels[i + 1] - 128, pixels[i + 2] - 128);
                pixels[i] = Round(y + (1.402 * red));
                pixels[i + 1] = Round(y - (0.114 * 1.772 / 0.587 * blue) - (0.299 * 1.402 / 0.587 * red));
                pixels[i + 2] = Round(y + (1.772 * blue));
            }
        }
        return new DecodedImage(Width, Height, 3, pixels).WithoutEqualChannels();

        static byte Round(double value) => (byte)Math.Floor(Math.Clamp(value, 0, 255) + 0.5);
    }
}

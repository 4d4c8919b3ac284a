using System.Runtime.InteropServices;
using MedMerge.Data.Formats.Images.Dicom;
using MedMerge.Data.Formats.Images.Jpeg;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace MedMerge.Data.Formats.Images;

/// <summary>
/// Reads PNG, JPEG, TIFF, BMP, WebP and DICOM, turned upright as their metadata say, without transparency. Values of 16 bits are brought to
/// bytes.
/// </summary>
internal static class ImageDecoder
{
    /// <summary>What messages call such a file.</summary>
    public const string Kind = "image";

    private const string Known = "PNG, JPEG, TIFF, BMP, WebP or DICOM";
    private const int MaxScans = 100; // of a JPEG: progressive files have about ten; thousands of empty ones take minutes
    private const int DeepBits = 16; // of a grey pixel; 48 of RGB

    private static readonly Configuration Formats = CreateFormats();

    /// <summary>Reads an image.</summary>
    /// <param name="origin">What messages call it.</param>
    /// <exception cref="InputException">It is damaged, of another format, or too large.</exception>
    public static DecodedImage Decode(byte[] file, string origin)
    {
        using var room = new PixelRoom();
        return Decode(file, origin, room, TurboJpeg.Installed);
    }

    /// <summary>Reads an image.</summary>
    /// <param name="origin">What messages call it.</param>
    /// <param name="room">Taken as soon as the image's size is known.</param>
    /// <param name="turbo">The system's library for JPEG; null for Skia's alone.</param>
    /// <exception cref="InputException">It is damaged, of another format, or too large.</exception>
    public static DecodedImage Decode(byte[] file, string origin, PixelRoom room, TurboJpeg? turbo)
    {
        try
        {
            if (DicomElements.IsDicom(file)) return DecodeDicom(file, origin, room, turbo);
            if (JpegDecoder.IsJpeg(file)) return DecodeJpeg(file, origin, CheckSize, isTurned: true, turbo);
            CheckEnd(ImageEnd.IsStartReached(file), origin);
            file = PngChunks.WithoutTexts(file);
            var info = Image.Identify(Formats, file, out _);
            if (info is null)
                throw new InputException($"{origin} is {FileContent.Describe(file) ?? "of an unknown format"}; an image is {Known}.");
            CheckSize(info.Width, info.Height);
            CheckEnd(ImageEnd.IsReached(file), origin);
            var image = IsDeep(info)
                ? Read<Rgb48>(file, Narrow)
                : Read<Rgb24>(file, (row, bytes) => MemoryMarshal.AsBytes(row).CopyTo(bytes));
            return image.WithoutEqualChannels();
        }
        catch (Exception error) when (IsOfFile(error))
        {
            throw new InputException($"{origin} can't be read as an image; is it damaged? ({error.Message.TrimEnd('.')})", error);
        }

        void CheckSize(int width, int height) => room.Take(width, height, origin);
    }

    /// <summary>
    /// The decoders throw more than their own exceptions on damaged files; a library that is missing is no fault of the file.
    /// </summary>
    private static bool IsOfFile(Exception error) =>
        error is not (InputException or OutOfMemoryException or TypeInitializationException or DllNotFoundException);

    /// <summary>What is not read is not damaged: the message says no more than why.</summary>
    private static DecodedImage DecodeDicom(byte[] file, string origin, PixelRoom room, TurboJpeg? turbo)
    {
        try
        {
            var dicom = new DicomImage(file);
            room.Take(dicom.Width, dicom.Height, origin);
            return dicom.Decode((jpeg, checkSize) => JpegDecoder.IsJpeg(jpeg)
                ? DecodeJpeg(jpeg, origin, checkSize, isTurned: false, turbo) // by EXIF, which DICOM does not know
                : throw new FormatException("its pixels are no JPEG, as it says they are"));
        }
        catch (FormatException error)
        {
            throw new InputException($"{origin} can't be read as a DICOM file: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private static DecodedImage DecodeJpeg(byte[] file, string origin, Action<int, int> checkSize, bool isTurned, TurboJpeg? turbo)
    {
        var outline = JpegOutline.Read(file);
        CheckEnd(outline is not null, origin);
        if (outline!.Value.Scans > MaxScans) throw new FormatException($"it has more than {MaxScans} scans");
        return JpegDecoder.Decode(file, outline.Value, checkSize, isTurned, turbo);
    }

    private static void CheckEnd(bool isThere, string origin)
    {
        if (!isThere) throw new InputException($"{origin} is cut off: its last part is missing. Copy it again.");
    }

    private static Configuration CreateFormats()
    {
        var formats = new Configuration(
            new PngConfigurationModule(),
            new TiffConfigurationModule(),
            new BmpConfigurationModule(),
            new WebpConfigurationModule())
        {
            MaxDegreeOfParallelism = 1, // images are read in parallel, each on one thread
        };
        // Of a scan of a thousand pages only the first is decoded.
        formats.ImageFormatsManager.SetDecoder(TiffFormat.Instance, new TiffDecoder { DecodingMode = FrameDecodingMode.First });
        return formats;
    }

    private static bool IsDeep(IImageInfo info)
    {
        var png = info.Metadata.GetPngMetadata();
        var isDeepPng = png.BitDepth == PngBitDepth.Bit16;
        return isDeepPng || info.PixelType.BitsPerPixel is DeepBits or 3 * DeepBits or 4 * DeepBits;
    }

    /// <summary>Reads RGB.</summary>
    /// <param name="toBytes">Brings a row to bytes.</param>
    private static DecodedImage Read<TPixel>(byte[] file, Action<Span<TPixel>, Span<byte>> toBytes) where TPixel : unmanaged, IPixel<TPixel>
    {
        using var image = Image.Load<TPixel>(Formats, file);
        image.Mutate(context => context.AutoOrient());
        var pixels = new byte[image.Width * image.Height * 3];
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++) toBytes(rows.GetRowSpan(y), pixels.AsSpan(y * rows.Width * 3, rows.Width * 3));
        });
        return new DecodedImage(image.Width, image.Height, 3, pixels);
    }

    /// <summary>Values of 16 bits to the nearest of 8.</summary>
    private static void Narrow(Span<Rgb48> pixels, Span<byte> bytes)
    {
        var values = MemoryMarshal.Cast<Rgb48, ushort>(pixels);
        for (var i = 0; i < values.Length; i++) bytes[i] = (byte)((values[i] + 128) / 257);
    }
}

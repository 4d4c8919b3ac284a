namespace MedMerge.Data.Formats.Images;

/// <summary>
/// Memory for an image that is decoded, and brought to its size. All that are at it together have no more pixels than the largest image
/// that is read, so that what they take does not grow with the number of cores. They take it in the order in which they come.
/// </summary>
internal sealed class PixelRoom : IDisposable
{
    /// <summary>Of one image, and of all at a time; decoders take up to twelve bytes for each.</summary>
    public const long MaxPixels = 32_000_000;

    private static readonly object Gate = new(); // a monitor, for threads wait on it
    private static long _taken;
    private static long _comers;
    private static long _turn;

    private long _own;

    /// <summary>Takes the room that an image needs, and waits until others have left it.</summary>
    /// <exception cref="InputException">It has no pixels, or more than are read.</exception>
    /// <param name="origin">What messages call the image.</param>
    public void Take(int width, int height, string origin)
    {
        if (width < 1 || height < 1) throw new InputException($"{origin} has no pixels: {width} × {height}.");
        var pixels = (long)width * height;
        if (pixels > MaxPixels)
        {
            throw new InputException(
                $"{origin} is {width} × {height} pixels, more than the {MaxPixels / 1_000_000} million that are read.");
        }
        if (_own > 0) return; // a second decoder tries
        lock (Gate)
        {
            var place = _comers++;
            while (place != _turn || _taken + pixels > MaxPixels) Monitor.Wait(Gate);
            _turn++;
            _taken += pixels;
            _own = pixels;
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>Leaves the room to others.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            _taken -= _own;
            _own = 0;
            Monitor.PulseAll(Gate);
        }
    }
}

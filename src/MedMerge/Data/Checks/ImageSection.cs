namespace MedMerge.Data.Checks;

/// <summary>A rectangle of a small image, moved and stretched about its middle. The whole has zeros only.</summary>
/// <param name="StretchY">Its height as a share of the whole, less 1.</param>
/// <param name="ShiftY">How far its middle is below the whole's, in pixels.</param>
/// <param name="StretchX">Its width as a share of the whole, less 1.</param>
/// <param name="ShiftX">How far its middle is to the right of the whole's, in pixels.</param>
internal readonly record struct ImageSection(float StretchY, float ShiftY, float StretchX, float ShiftX)
{
    /// <summary>Pixels from side to side, of the whole and of the section.</summary>
    public const int Side = 32;

    /// <summary>Half the way from the first pixel to the last.</summary>
    public const float Middle = (Side - 1) / 2f;

    /// <summary>Where the section's row is in the whole.</summary>
    public float GetRow(int y) => ((y - Middle) * (1 + StretchY)) + ShiftY + Middle;

    /// <summary>Where the section's column is in the whole.</summary>
    public float GetColumn(int x) => ((x - Middle) * (1 + StretchX)) + ShiftX + Middle;

    /// <summary>The value at a pixel of the section, interpolated linearly; beyond the edge it is the edge's.</summary>
    public float Sample(ReadOnlySpan<float> pixels, int y, int x) => Interpolate(pixels, GetRow(y), GetColumn(x));

    /// <summary>The value between pixels.</summary>
    public static float Interpolate(ReadOnlySpan<float> pixels, float row, float column)
    {
        var (clippedRow, clippedColumn) = (Math.Clamp(row, 0, Side - 1), Math.Clamp(column, 0, Side - 1));
        var (top, left) = (Math.Min((int)clippedRow, Side - 2), Math.Min((int)clippedColumn, Side - 2));
        var (down, right) = (clippedRow - top, clippedColumn - left);
        var place = (top * Side) + left;
        var upper = pixels[place] + (right * (pixels[place + 1] - pixels[place]));
        var lower = pixels[place + Side] + (right * (pixels[place + Side + 1] - pixels[place + Side]));
        return upper + (down * (lower - upper));
    }
}

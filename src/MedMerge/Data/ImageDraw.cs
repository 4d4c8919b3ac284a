namespace MedMerge.Data;

/// <summary>What was drawn for one image of one epoch.</summary>
/// <param name="Down">Pixels that it moves down.</param>
/// <param name="Right">Pixels that it moves to the right, before it is mirrored.</param>
/// <param name="Numbers">
/// The affine map from a place in the result to one in the image, both from −1 to 1, row by row [2, 3]; then the factor of the contrast,
/// what is added to the brightness (of 255), the blur's deviation in pixels, and the noise's (of 255).
/// </param>
/// <param name="NoiseStart">Where in the table of noise its own begins.</param>
internal readonly record struct ImageDraw(int Down, int Right, bool IsMirrored, bool IsUpsideDown, double[] Numbers, int NoiseStart)
{
    /// <summary>The value of a white pixel.</summary>
    public const double White = 255;

    /// <summary>Draws up to the strengths of an augmentation.</summary>
    /// <param name="lastNoise">The last place at which noise may begin.</param>
    public static ImageDraw Of(Augmentation strengths, int height, int width, int lastNoise, RandomStream random)
    {
        var down = DrawShift(height, strengths.Shift, random);
        var right = DrawShift(width, strengths.Shift, random);
        var isMirrored = random.Below(2) == 1 && strengths.Flip;
        if (strengths.OnlyMoves && !strengths.FlipVertical) return new ImageDraw(down, right, isMirrored, false, Unchanged, 0);

        var isUpsideDown = random.Below(2) == 1 && strengths.FlipVertical;
        var angle = random.Between(-strengths.Rotation, strengths.Rotation) * Math.PI / 180;
        var side = 1 - random.Between(0, strengths.Crop);
        var (x, y) = (random.Between(side - 1, 1 - side), random.Between(side - 1, 1 - side));
        var contrast = 1 + random.Between(-strengths.Intensity, strengths.Intensity);
        var brightness = White * random.Between(-strengths.Intensity, strengths.Intensity) / 2;
        var blur = random.Between(0, strengths.Blur);
        var noise = White * random.Between(0, strengths.Noise);
        // Places are in halves of a side, and pixels are square.
        var (sine, cosine, ratio) = (side * Math.Sin(angle), side * Math.Cos(angle), height / (double)width);
        double[] numbers = [cosine, -sine * ratio, x, sine / ratio, cosine, y, contrast, brightness, blur, noise];
        return new ImageDraw(down, right, isMirrored, isUpsideDown, numbers, random.Below(lastNoise + 1));
    }

    private static double[] Unchanged { get; } = [1, 0, 0, 0, 1, 0, 1, 0, 0, 0];

    private static int DrawShift(int side, double share, RandomStream random)
    {
        if (share == 0) return 0;
        var reach = Math.Max(1, (int)Math.Floor((side * share) + 1e-9));
        return random.Below((2 * reach) + 1) - reach;
    }
}

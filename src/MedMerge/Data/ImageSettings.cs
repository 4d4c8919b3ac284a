namespace MedMerge.Data;

/// <summary>How images of any size become a data set's, and which of them train, validate and test where the data don't say.</summary>
internal sealed record ImageSettings
{
    /// <summary>Height and width in pixels to which images are brought; null for their own, which must then agree.</summary>
    public int? Size { get; init; }

    /// <summary>Whether images become grey or RGB.</summary>
    public ImageColours Colours { get; init; }

    /// <summary>How an image that is not square becomes so.</summary>
    public ImageFit Fit { get; init; } = ImageFit.Pad;

    /// <summary>The share of images that validate.</summary>
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>The share of images that test.</summary>
    public double TestShare { get; init; } = 0.2;

    /// <summary>Decides which.</summary>
    public int SplitSeed { get; init; }

    /// <summary>1 for grey, 3 for RGB; null for what the images are.</summary>
    public int? Channels => Colours switch
    {
        ImageColours.Grey => 1,
        ImageColours.Rgb => 3,
        _ => null,
    };
}

/// <summary>Whether images become grey or RGB.</summary>
internal enum ImageColours
{
    /// <summary>RGB if any image has colours.</summary>
    Auto,

    /// <summary>Grey, by ITU-R 601 luma.</summary>
    Grey,

    /// <summary>RGB; a grey image in three equal channels.</summary>
    Rgb,
}

/// <summary>How an image that is not square becomes so.</summary>
internal enum ImageFit
{
    /// <summary>All of it, in its proportions, with black beside it.</summary>
    Pad,

    /// <summary>The square in its middle.</summary>
    Crop,

    /// <summary>All of it, its proportions lost.</summary>
    Stretch,
}

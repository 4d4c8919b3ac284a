namespace MedMerge.Data.Formats.Images;

/// <summary>Brings images to the size and channels that a specification asks for.</summary>
internal static class ImagePreparation
{
    /// <summary>Makes it square and of the size, if one is set.</summary>
    public static DecodedImage Resize(DecodedImage image, ImageSettings settings)
    {
        if (settings.Size is not { } size) return image;
        if (image.Width == image.Height || settings.Fit == ImageFit.Stretch) return ImageResampler.Resize(image, size, size);
        var (shorter, longer) = (Math.Min(image.Width, image.Height), Math.Max(image.Width, image.Height));
        if (settings.Fit == ImageFit.Crop)
        {
            var square = image.Crop((image.Width - shorter) / 2, (image.Height - shorter) / 2, shorter, shorter);
            return ImageResampler.Resize(square, size, size);
        }
        var (width, height) = (Scale(image.Width), Scale(image.Height));
        return ImageResampler.Resize(image, width, height).Pad(size, size);

        int Scale(int side) => Math.Max((int)Math.Round((double)side * size / longer), 1);
    }

    /// <summary>Brings the images of a data set, which have one size, to another.</summary>
    public static ImageDataset Apply(ImageDataset dataset, ImageSettings settings)
    {
        if (settings.Size is null && settings.Channels is null) return dataset;
        var info = dataset.Info with
        {
            Height = settings.Size ?? dataset.Height,
            Width = settings.Size ?? dataset.Width,
            Channels = settings.Channels ?? dataset.Channels,
        };
        return new ImageDataset(info, Prepare(dataset.Train), Prepare(dataset.Validation), Prepare(dataset.Test));

        ImageSplit Prepare(ImageSplit split)
        {
            var size = (int)info.ImageBytes;
            var pixels = ImageSplit.Allocate(split.Count, info.ImageBytes, $"data set {dataset.Name}");
            Parallel.For(0, split.Count, i =>
            {
                var image = DecodedImage.Of(dataset, split.GetImage(i));
                Resize(image, settings).WithChannels(info.Channels).Pixels.CopyTo(pixels.AsSpan(i * size));
            });
            return split with { Pixels = pixels };
        }
    }
}

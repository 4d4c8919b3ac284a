using System.Collections.Concurrent;

namespace MedMerge.Data.Formats.Images;

/// <summary>Reads the images of a list into a data set: decoded, brought to one size, dealt out to the splits.</summary>
internal static class ImageSetReader
{
    /// <summary>Reads them on all cores.</summary>
    /// <param name="name">The data set's.</param>
    /// <param name="provenance">How it was given.</param>
    /// <exception cref="InputException">An image can't be read, or images differ in size and none is asked for.</exception>
    public static ImageDataset Read(
        string name,
        Provenance provenance,
        IImageFiles files,
        IReadOnlyList<ListedImage> images,
        ImageSettings settings)
    {
        var dealt = SplitAssignment.Complete(images, settings, files.Origin);
        var isMultiLabel = dealt[0].Labels is not null;
        var names = dealt.SelectMany(image => image.Labels ?? [image.Class]);
        string[] classes = [.. OrderClasses(names.Distinct(StringComparer.Ordinal))];
        var labels = classes.Index().ToDictionary(item => item.Item, item => item.Index, StringComparer.Ordinal);
        if (isMultiLabel && classes.Length > LabelSet.MaxLabels)
        {
            throw new InputException(
                $"{files.Origin} has {classes.Length} labels; {LabelSet.MaxLabels} are the most that an image can have.");
        }
        var decoded = Decode(files, dealt, settings);
        var channels = settings.Channels ?? decoded.Max(image => image.Channels);
        var info = new DatasetInfo
        {
            Name = name,
            Height = decoded[0].Height,
            Width = decoded[0].Width,
            Channels = channels,
            Classes = classes.Length,
            ClassNames = classes,
            IsMultiLabel = isMultiLabel,
            Provenance = provenance,
        };
        var (train, validation, test) = (Collect(DatasetSplit.Train), Collect(DatasetSplit.Validation), Collect(DatasetSplit.Test));
        return new ImageDataset(info, train, validation, test).Validated();

        ImageSplit Collect(DatasetSplit split)
        {
            int[] chosen = [.. Enumerable.Range(0, dealt.Count).Where(i => dealt[i].Split == split)];
            var pixels = ImageSplit.Allocate(chosen.Length, info.ImageBytes, files.Origin);
            foreach (var (place, i) in chosen.Index())
                decoded[i].WithChannels(channels).Pixels.CopyTo(pixels.AsSpan(place * (int)info.ImageBytes));
            // Only training counts images by weight.
            var isWeighted = split == DatasetSplit.Train && dealt.Any(image => image.Weight is not null);
            return new ImageSplit(pixels, [.. chosen.Select(i => GetLabel(dealt[i]))])
            {
                Weights = isWeighted ? [.. chosen.Select(i => dealt[i].Weight ?? 1)] : null,
            };
        }

        int GetLabel(ListedImage image) =>
            image.Labels is { } several ? LabelSet.Of(several.Select(label => labels[label])) : labels[image.Class];
    }

    /// <summary>By number if all names are, else by name.</summary>
    private static IEnumerable<string> OrderClasses(IEnumerable<string> names)
    {
        var all = names.ToList();
        return all.TrueForAll(name => int.TryParse(name, out _)) ? all.OrderBy(int.Parse) : all.Order(StringComparer.Ordinal);
    }

    private static DecodedImage[] Decode(IImageFiles files, IReadOnlyList<ListedImage> images, ImageSettings settings)
    {
        var decoded = new DecodedImage[images.Count];
        var failures = new ConcurrentDictionary<int, InputException>();
        Parallel.For(0, images.Count, (i, loop) =>
        {
            try
            {
                var image = ImageDecoder.Decode(files.Read(images[i].Path), $"The image '{images[i].Path}' in {files.Origin}");
                decoded[i] = ImagePreparation.Resize(settings.Channels is { } channels ? image.WithChannels(channels) : image, settings);
            }
            catch (InputException error)
            {
                failures[i] = error;
                loop.Break(); // those before it are still read, so that the first failure is always the same
            }
        });
        if (!failures.IsEmpty) throw failures[failures.Keys.Min()];
        CheckSizes(files, images, decoded);
        return decoded;
    }

    private static void CheckSizes(IImageFiles files, IReadOnlyList<ListedImage> images, DecodedImage[] decoded)
    {
        var first = decoded[0];
        var other = Array.FindIndex(decoded, image => image.Width != first.Width || image.Height != first.Height);
        if (other >= 0)
        {
            throw new InputException(
                $"The images of {files.Origin} differ in size: '{images[0].Path}' has {first.Width} × {first.Height} pixels, " +
                $"'{images[other].Path}' {decoded[other].Width} × {decoded[other].Height}. Say to which side to bring them: 'size: 64'.");
        }
        if (Math.Min(first.Width, first.Height) < ImageDataset.MinSide || Math.Max(first.Width, first.Height) > ImageDataset.MaxSide)
        {
            throw new InputException(
                $"The images of {files.Origin} have {first.Width} × {first.Height} pixels; sides may be " +
                $"{ImageDataset.MinSide} to {ImageDataset.MaxSide}. Say to which side to bring them: 'size: 224'.");
        }
    }
}

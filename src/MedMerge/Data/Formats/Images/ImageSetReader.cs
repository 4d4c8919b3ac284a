using System.Collections.Concurrent;
using MedMerge.Data.Formats.Images.Jpeg;

namespace MedMerge.Data.Formats.Images;

/// <summary>
/// Reads the images of a list into a data set: decoded, brought to one size, dealt out to the splits. In memory are the data set and,
/// for each core, the image that it is at.
/// </summary>
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
        var first = Prepare(files, dealt[0], settings);
        CheckSize(first, files.Origin);
        var info = new DatasetInfo
        {
            Name = name,
            Height = first.Height,
            Width = first.Width,
            Channels = settings.Channels ?? first.Channels,
            Classes = classes.Length,
            ClassNames = classes,
            IsMultiLabel = isMultiLabel,
            Provenance = provenance,
        };
        var pixels = Fill(files, dealt, settings, info);
        if (pixels is null)
        {
            info = info with { Channels = 3 };
            pixels = Fill(files, dealt, settings, info)!;
        }
        var isGrouped = dealt.Any(image => image.Group is not null);
        var (train, validation, test) = (Collect(DatasetSplit.Train), Collect(DatasetSplit.Validation), Collect(DatasetSplit.Test));
        return new ImageDataset(info, train, validation, test).Validated();

        ImageSplit Collect(DatasetSplit split)
        {
            var chosen = dealt.Where(image => image.Split == split).ToList();
            // Only training counts images by weight.
            var isWeighted = split == DatasetSplit.Train && dealt.Any(image => image.Weight is not null);
            return new ImageSplit(pixels[split], [.. chosen.Select(GetLabel)])
            {
                Weights = isWeighted ? [.. chosen.Select(image => image.Weight ?? 1)] : null,
                Groups = isGrouped ? [.. chosen.Select(image => image.GroupHash)] : null,
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

    /// <summary>The pixels of each split; null if an image is in colours and all were to be grey, as the first is.</summary>
    private static Dictionary<DatasetSplit, byte[]>? Fill(
        IImageFiles files,
        IReadOnlyList<ListedImage> images,
        ImageSettings settings,
        DatasetInfo info)
    {
        var size = (int)info.ImageBytes;
        var counts = Enum.GetValues<DatasetSplit>().ToDictionary(split => split, _ => 0);
        int[] places = [.. images.Select(image => counts[image.Split!.Value]++)];
        var pixels = counts.ToDictionary(item => item.Key, item => ImageSplit.Allocate(item.Value, size, files.Origin));
        var failures = new ConcurrentDictionary<int, InputException>();
        var hasColours = false;
        // Waiting threads hold the files that they have read, so there are no more of them than cores.
        var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, images.Count, cores, (i, loop) =>
        {
            try
            {
                var image = Prepare(files, images[i], settings);
                if (image.Width != info.Width || image.Height != info.Height) throw DifferentSize(i, image);
                if (image.Channels > info.Channels)
                {
                    hasColours = true;
                    loop.Break();
                    return;
                }
                image.WithChannels(info.Channels).Pixels.CopyTo(pixels[images[i].Split!.Value].AsSpan(places[i] * size));
            }
            catch (InputException error)
            {
                failures[i] = error;
                loop.Break(); // those before it are still read, so that the first failure is always the same
            }
        });
        if (hasColours) return null;
        if (!failures.IsEmpty) throw failures[failures.Keys.Min()];
        return pixels;

        InputException DifferentSize(int i, DecodedImage image) => new(
            $"The images of {files.Origin} differ in size: '{images[0].Path}' has {info.Width} × {info.Height} pixels, " +
            $"'{images[i].Path}' {image.Width} × {image.Height}. Say to which side to bring them: 'size: 64'.");
    }

    private static DecodedImage Prepare(IImageFiles files, ListedImage image, ImageSettings settings)
    {
        using var room = new PixelRoom();
        var origin = $"The image '{image.Path}' in {files.Origin}";
        var decoded = ImageDecoder.Decode(files.Read(image.Path), origin, room, TurboJpeg.Installed);
        return ImagePreparation.Resize(settings.Channels is { } channels ? decoded.WithChannels(channels) : decoded, settings);
    }

    private static void CheckSize(DecodedImage image, string origin)
    {
        var (shorter, longer) = (Math.Min(image.Width, image.Height), Math.Max(image.Width, image.Height));
        if (shorter >= ImageDataset.MinSide && longer <= ImageDataset.MaxSide) return;
        throw new InputException(
            $"The images of {origin} have {image.Width} × {image.Height} pixels; sides may be " +
            $"{ImageDataset.MinSide} to {ImageDataset.MaxSide}. Say to which side to bring them: 'size: 224'.");
    }
}

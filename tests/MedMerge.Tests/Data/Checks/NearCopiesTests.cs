using MedMerge.Data;
using MedMerge.Data.Checks;
using MedMerge.Data.Formats;
using MedMerge.Data.Formats.Images;
using MedMerge.Testing;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Tests.Data.Checks;

/// <summary>Copies planted among real images are found, and images that only look alike are not taken for copies.</summary>
public class NearCopiesTests(ITestOutputHelper output)
{
    private const int Planted = 540;
    private const double MinRecall = 0.98;
    private const double MaxFalsePairs = 1e-6; // of all pairs

    private static readonly (string Name, Func<DecodedImage, DecodedImage> Copy)[] Kinds =
    [
        ("smaller", image => ImageResampler.Resize(image, image.Width * 3 / 4, image.Height * 3 / 4)),
        ("larger", image => ImageResampler.Resize(image, image.Width * 2, image.Height * 2)),
        ("JPEG at quality 50", image => Compress(image, 50)),
        ("darker", image => Brighten(image, 0.7, 0)),
        ("brighter", image => Brighten(image, 1, 40)),
        ("cropped on all sides", image => Crop(image, 2, 2, 2, 2)),
        ("cropped on two sides", image => Crop(image, 2, 2, 0, 0)),
        ("mirrored", Mirror),
        ("all of it", image => Compress(Brighten(Mirror(Crop(image, 2, 1, 0, 0)), 0.8, 0), 70)),
    ];

    [Theory]
    [InlineData("breastmnist/breastmnist.npz", null)]
    [InlineData("pneumoniamnist/pneumoniamnist.npz", null)]
    [InlineData("nih_cxr_224/manifest.csv", 64)]
    public void Planted_copies_are_found(string data, int? size)
    {
        var images = Load(data, size);
        var random = new Random(3);
        var chosen = Enumerable.Range(0, images.Count).ToArray();
        random.Shuffle(chosen);
        var copies = chosen.Take(Planted).Index().Select(item => Copy(item.Item, Kinds[item.Index % Kinds.Length])).ToList();

        ImageFingerprint?[] all = [.. images.Concat(copies.Select(copy => copy.Image)).Select(ImageFingerprint.Of)];
        CheckRecall(NearCopies.Find(all));

        // As where there are too many to compare all with all: the copies alone are sought, then the others alone.
        int[] ofCopies = [.. Enumerable.Range(images.Count, copies.Count)];
        var found = NearCopies.Find(all, ofCopies);
        Assert.All(found, pair => Assert.True(pair.Second >= images.Count));
        CheckRecall(found);
        CheckRecall(NearCopies.Find(all, [.. copies.Select(copy => copy.Of)]));

        void CheckRecall(IReadOnlyCollection<(int, int)> pairs)
        {
            var missed = copies.Index()
                .Where(copy => !pairs.Contains((copy.Item.Of, images.Count + copy.Index)))
                .CountBy(copy => copy.Item.Name)
                .ToList();
            output.WriteLine($"Missed of {copies.Count}: {string.Join(", ", missed)}");
            Assert.True(missed.Sum(kind => kind.Value) <= (1 - MinRecall) * copies.Count, string.Join(", ", missed));
        }

        (int Of, string Name, DecodedImage Image) Copy(int image, (string Name, Func<DecodedImage, DecodedImage> Copy) kind) =>
            (image, kind.Name, kind.Copy(images[image]));
    }

    /// <summary>Chest X-rays are alike; BreastMNIST is left out, for it has true copies by the hundred.</summary>
    [Fact]
    public void Images_that_are_alike_are_no_copies()
    {
        var images = Load("pneumoniamnist/pneumoniamnist.npz", null).DistinctBy(image => Convert.ToHexString(image.Pixels)).ToList();

        var found = NearCopies.Find([.. images.Select(ImageFingerprint.Of)]);

        var pairs = images.Count * (images.Count - 1L) / 2;
        output.WriteLine($"{found.Count} of {pairs} pairs");
        Assert.True(found.Count <= MaxFalsePairs * pairs, $"{found.Count} of {pairs}");
    }

    /// <summary>Ultrasound and two sources of chest X-rays: whatever is taken for a pair of copies between them is none.</summary>
    [Fact]
    public void Images_of_different_sets_are_no_copies()
    {
        (string Data, int? Size)[] sets =
        [
            ("breastmnist/breastmnist.npz", null),
            ("pneumoniamnist/pneumoniamnist.npz", null),
            ("nih_cxr_224/manifest.csv", 64),
        ];
        var images = sets.Select(set => Load(set.Data, set.Size).ConvertAll(ImageFingerprint.Of)).ToList();
        var (count, pairs) = (0, 0L);
        foreach (var (first, second) in new[] { (0, 1), (0, 2), (1, 2) })
        {
            int[] ofFirst = [.. Enumerable.Range(0, images[first].Count)];
            int[] ofSecond = [.. Enumerable.Range(images[first].Count, images[second].Count)];

            var found = NearCopies.Find([.. images[first], .. images[second]], ofSecond, ofFirst);

            Assert.All(found, pair => Assert.True(pair.First < ofFirst.Length && pair.Second >= ofFirst.Length));
            count += found.Count;
            pairs += (long)ofFirst.Length * ofSecond.Length;
        }
        output.WriteLine($"{count} of {pairs} pairs");
        Assert.True(count <= MaxFalsePairs * pairs, $"{count} of {pairs}");
    }

    private static List<DecodedImage> Load(string data, int? size)
    {
        var path = RealData.File(data);
        var dataset = DatasetFormats.All.Get(path).Load(path, null, new ImageSettings { Size = size }, InputFile.Read);
        return
        [
            .. from split in dataset.Splits
               from image in CheckedImage.Of(split.Name, split.Split)
               select DecodedImage.Of(dataset, image.Pixels),
        ];
    }

    private static DecodedImage Crop(DecodedImage image, int left, int top, int right, int bottom)
    {
        var part = image.Crop(left, top, image.Width - left - right, image.Height - top - bottom);
        return ImageResampler.Resize(part, image.Width, image.Height);
    }

    private static DecodedImage Brighten(DecodedImage image, double factor, int offset) =>
        image with { Pixels = Array.ConvertAll(image.Pixels, value => (byte)Math.Clamp((value * factor) + offset, 0, 255)) };

    private static DecodedImage Mirror(DecodedImage image)
    {
        var pixels = image.Pixels.ToArray();
        for (var y = 0; y < image.Height; y++) pixels.AsSpan(y * image.Width, image.Width).Reverse();
        return image with { Pixels = pixels };
    }

    private static DecodedImage Compress(DecodedImage image, int quality)
    {
        using var grey = Image.LoadPixelData<L8>(image.Pixels, image.Width, image.Height);
        using var file = new MemoryStream();
        grey.Save(file, new JpegEncoder { Quality = quality });
        return ImageDecoder.Decode(file.ToArray(), "the copy").WithChannels(1);
    }
}

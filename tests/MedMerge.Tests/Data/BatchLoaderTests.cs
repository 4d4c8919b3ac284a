using MedMerge.Data;
using MedMerge.Data.Formats;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tests.Data;

public class BatchLoaderTests
{
    /// <summary>Against the definition, pixel by pixel, in float64: as exact as bytes are.</summary>
    [Theory]
    [InlineData(9, 7, 1, DeviceSplit.MaxBytes)]
    [InlineData(16, 30, 3, DeviceSplit.MaxBytes)]
    [InlineData(16, 30, 3, 0L)]
    public void Augmented_images_are_the_originals_shifted_and_mirrored_with_zeros_from_beyond_the_edges(
        int height, int width, int channels, long maxBytes)
    {
        const int Count = 40;
        const ulong Seed = 5;
        using var scope = NewDisposeScope();
        var split = new ImageSplit(
            [.. Enumerable.Range(0, Count * height * width * channels).Select(i => (byte)((i * 37 % 255) + 1))],
            [.. Enumerable.Range(0, Count).Select(i => i % 2)]);
        var info = Phantoms.Create("lesions", 4, 2, 2).Info with { Height = height, Width = width, Channels = channels };
        var data = new ImageDataset(info, split, split, split);
        using var loader = new BatchLoader(data, TestDevice.Torch, ScalarType.Float64, maxBytes);
        int[] indices = [31, 2, 2, 17, 39];
        var (mean, deviation) = data.Normalisation;

        var batch = loader.LoadTraining(indices, Augmentation.ShiftedAndFlipped, Seed, epoch: 3);

        Assert.Equal([1L, 0L, 0L, 1L, 1L], batch.Labels.data<long>().ToArray());
        Assert.Equal([indices.Length, 3L, height, width], batch.Images.shape);
        for (var i = 0; i < indices.Length; i++)
        {
            var random = new RandomStream(Seed, StreamKeys.Augmentation, 3, (ulong)indices[i]);
            var down = random.Below((2 * Math.Max(1, height / 14)) + 1) - Math.Max(1, height / 14);
            var right = random.Below((2 * Math.Max(1, width / 14)) + 1) - Math.Max(1, width / 14);
            var isMirrored = random.Below(2) == 1;
            foreach (var (c, y, x) in Places(height, width))
            {
                var (fromY, fromX) = (y - down, (isMirrored ? width - 1 - x : x) - right);
                var isInside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
                var channel = channels == 1 ? 0 : c;
                var place = ((((indices[i] * height) + fromY) * width + fromX) * channels) + channel;
                var pixel = isInside ? split.Pixels[place] : 0;
                var expected = (pixel * (1 / (255 * deviation[channel]))) + (-mean[channel] / deviation[channel]);
                Assert.Equal(expected, batch.Images[i, c, y, x].item<double>());
            }
        }
    }

    private static IEnumerable<(int Channel, int Y, int X)> Places(int height, int width) =>
        from c in Enumerable.Range(0, 3)
        from y in Enumerable.Range(0, height)
        from x in Enumerable.Range(0, width)
        select (c, y, x);
}

using System.Diagnostics;
using System.Text.Json;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Models;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tests.Data;

public class AugmentationTests
{
    private const int Side = 12;
    private static readonly double[] Nothing = [1, 0, 0, 0, 1, 0, 1, 0, 0, 0];

    [Theory]
    [InlineData("none", "none")]
    [InlineData("shift-flip", "shift, flip")]
    [InlineData(" flip ,shift", "shift, flip")]
    [InlineData("rotate 15, crop 0.3,blur 2", "rotate, crop 0.3, blur 2")]
    [InlineData("flip, flip-vertical, intensity, noise 0.05", "flip, flip-vertical, intensity, noise")]
    [InlineData("random 5", "random 5")]
    [InlineData("noise 0.00005", "noise 0.00005")]
    public void A_text_is_read_and_written_as_one_form(string text, string expected)
    {
        var augmentation = Augmentation.Parse(text);
        Assert.Equal(expected, augmentation.ToString());
        Assert.Equal(augmentation, Augmentation.Parse(expected));
        Assert.Equal(augmentation, JsonSerializer.Deserialize<Augmentation>(JsonSerializer.Serialize(augmentation)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("turn 3")]
    [InlineData("flip, flip")]
    [InlineData("shift-flip-vertical")]
    [InlineData("flip 0.3")]
    [InlineData("flip 1")]
    [InlineData("rotate 181")]
    [InlineData("rotate -3")]
    [InlineData("crop 0.95")]
    [InlineData("noise 0")]
    [InlineData("random")]
    [InlineData("random 11")]
    [InlineData("random 2.5")]
    [InlineData("shift,")]
    public void What_is_no_augmentation_is_refused(string text)
    {
        Assert.False(Augmentation.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Augmentation.Parse(text));
    }

    /// <summary>A quarter turn puts each pixel on another, so that interpolation adds nothing; so does half a turn.</summary>
    [Theory]
    [InlineData(90, 1)]
    [InlineData(180, 2)]
    [InlineData(-90, 3)]
    public void A_rotation_turns_images_about_their_centre(double degrees, int quarters)
    {
        using var scope = NewDisposeScope();
        var images = RandomImages(count: 2, channels: 3);
        var (sine, cosine) = Math.SinCos(degrees * Math.PI / 180);
        var turned = Filter(images, "rotate", [cosine, -sine, 0, sine, cosine, 0, 1, 0, 0, 0]);
        Assert.True(turned.allclose(images.rot90(quarters, (2, 3)), 0, 1e-9));
    }

    [Fact]
    public void A_crop_is_a_window_brought_back_to_size()
    {
        using var scope = NewDisposeScope();
        var images = RandomImages(count: 1, channels: 1);
        // Half of each side, its window at the right and at the top.
        var cropped = Filter(images, "crop", [0.5, 0, 0.5, 0, 0.5, -0.5, 1, 0, 0, 0]);
        var window = images.narrow(2, 0, Side / 2).narrow(3, Side / 2, Side / 2);
        var expected = nn.functional.interpolate(window, [Side, Side], mode: torch.InterpolationMode.Bilinear, align_corners: false);
        var inner = cropped.narrow(2, 1, Side - 2).narrow(3, 1, Side - 2); // at the window's edge the crop sees beyond it
        Assert.True(inner.allclose(expected.narrow(2, 1, Side - 2).narrow(3, 1, Side - 2), 0, 1e-9));
    }

    [Fact]
    public void Contrast_is_about_the_images_mean_and_brightness_is_added()
    {
        using var scope = NewDisposeScope();
        var images = RandomImages(count: 2, channels: 3);
        var changed = Filter(images, "intensity", [.. Nothing[..6], 0.5, 20, 0, 0]);
        var mean = images.mean([1, 2, 3], keepdim: true);
        Assert.True(changed.allclose(((images - mean) * 0.5) + mean + 20, 0, 1e-9));
        Assert.Equal(255, Filter(images, "intensity", [.. Nothing[..6], 1, 300, 0, 0]).min().item<double>());
    }

    [Fact]
    public void A_blur_spreads_a_point_as_a_Gaussian_and_keeps_its_sum()
    {
        using var scope = NewDisposeScope();
        var point = zeros(1, 1, Side, Side, ScalarType.Float64);
        point[0, 0, 5, 6] = 100;
        var blurred = Filter(point, "blur 1", [.. Nothing[..8], 0.8, 0]);
        Assert.Equal(100, blurred.sum().item<double>(), 1e-9);
        var ratio = blurred[0, 0, 5, 8].item<double>() / blurred[0, 0, 5, 6].item<double>();
        Assert.Equal(Math.Exp(-4 / (2 * 0.64)), ratio, 1e-9);
        Assert.True(Filter(point, "blur 1", Nothing).allclose(point, 0, 1e-9));
    }

    [Fact]
    public void Noise_is_normal_with_the_deviation_that_was_drawn()
    {
        using var scope = NewDisposeScope();
        var grey = full([1, 3, Side, Side], 128.0, ScalarType.Float64);
        var noise = Filter(grey, "noise", [.. Nothing[..9], 10]) - grey;
        Assert.InRange(noise.std().item<double>(), 9, 11);
        Assert.InRange(noise.mean().item<double>(), -1.5, 1.5);
    }

    [Theory]
    [InlineData("rotate, crop, intensity, blur, noise")]
    [InlineData("shift-flip, flip-vertical, rotate 90")]
    [InlineData("flip, random 7")]
    public void Images_are_changed_by_seed_epoch_and_image_alone(string text)
    {
        using var scope = NewDisposeScope();
        var augmentation = Augmentation.Parse(text);
        var data = Phantoms.Create("vessels", train: 64, validation: 4, test: 4);
        using var loader = new BatchLoader(data, TestDevice.Torch);
        using var other = new BatchLoader(data, TestDevice.Torch);

        var together = loader.LoadTraining([3, 9], augmentation, seed: 1, epoch: 2).Images;

        Assert.Equal([2L, 3L, 28L, 28L], together.shape);
        Assert.True(together.isfinite().all().item<bool>());
        Assert.True(together[1].allclose(other.LoadTraining([9], augmentation, seed: 1, epoch: 2).Images[0], 0, 1e-5));
        Assert.False(together[1].allclose(loader.LoadTraining([9], augmentation, seed: 1, epoch: 3).Images[0], 0, 1e-3));
        Assert.False(together[1].allclose(loader.LoadTraining([9], augmentation, seed: 2, epoch: 2).Images[0], 0, 1e-3));
    }

    [Fact]
    public void By_level_each_image_gets_two_operations_and_all_come_up()
    {
        var augmentation = Augmentation.Parse("flip, random 5");
        var seen = Enumerable.Range(0, 300).Select(i => augmentation.ChooseOperations(new RandomStream((ulong)i))).ToList();
        Assert.All(seen, chosen => Assert.Equal(3, chosen.ToString().Split(',').Length));
        Assert.All(seen, chosen => Assert.True(chosen.Flip && !chosen.FlipVertical && chosen.Random == 0));
        Assert.Equal(15, seen.Select(chosen => chosen.ToString()).Distinct().Count()); // pairs of six
        Assert.Equal(15, seen.Max(chosen => chosen.Rotation)); // half of the 30 degrees at level 10
    }

    /// <summary>At 224 pixels everything together takes at most a tenth of a step of a ResNet-18.</summary>
    [Fact]
    public void Augmentation_is_a_small_part_of_a_step()
    {
        const int Pixels = 224, Batch = 8;
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        byte[] pixels = [.. Enumerable.Range(0, Batch * Pixels * Pixels * 3).Select(_ => (byte)random.Below(256))];
        var split = new ImageSplit(pixels, [0, 1, 0, 1, 0, 1, 0, 1]);
        var info = Phantoms.Create("lesions", 4, 2, 2).Info with { Height = Pixels, Width = Pixels, Channels = 3 };
        var data = new ImageDataset(info, split, split, split);
        using var loader = new BatchLoader(data, TestDevice.Torch);
        using var start = Architectures.Create("resnet18").Initialise(1, data.Classes);
        using var network = new BatchNormNetwork(Architectures.Create("resnet18"), start, TestDevice.Torch);
        foreach (var parameter in network.Parameters) parameter.requires_grad_();
        var augmentation = Augmentation.Parse("shift, flip, flip-vertical, rotate, crop, intensity, blur, noise");
        int[] indices = [.. Enumerable.Range(0, Batch)];
        loader.LoadTraining(indices, augmentation, seed: 1, epoch: 1);

        var plain = Time(() => loader.LoadTraining(indices, Augmentation.None, seed: 1, epoch: 2));
        var augmented = Time(() => loader.LoadTraining(indices, augmentation, seed: 1, epoch: 2));
        var batch = loader.LoadTraining(indices, augmentation, seed: 1, epoch: 2);
        var step = Time(() =>
        {
            var loss = nn.functional.cross_entropy(network.Forward(batch.Images, training: true), batch.Labels);
            autograd.grad([loss], network.Parameters);
        });

        var share = (augmented - plain) / step;
        Assert.True(share < 0.1, $"Augmentation takes {share:P0} of a step: {augmented - plain:0.0} of {step:0.0} ms.");
        TestContext.Current.SendDiagnosticMessage($"Augmentation takes {share:P1} of a step: {augmented - plain:0.0} of {step:0.0} ms.");
    }

    /// <summary>The least of five, in milliseconds.</summary>
    private static double Time(Action work)
    {
        var least = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            using var scope = NewDisposeScope();
            var start = Stopwatch.GetTimestamp();
            work();
            var taken = Stopwatch.GetElapsedTime(start);
            if (taken < least) least = taken;
        }
        return least.TotalMilliseconds;
    }

    private static Tensor RandomImages(int count, int channels)
    {
        var random = new RandomStream(3);
        double[] values = [.. Enumerable.Range(0, count * channels * Side * Side).Select(_ => random.Between(60, 190))];
        return tensor(values).view(count, channels, Side, Side);
    }

    private static Tensor Filter(Tensor images, string augmentation, double[] numbers)
    {
        using var augmenter = new ImageAugmenter(Side, Side, (int)images.shape[1], TestDevice.Torch, ScalarType.Float64);
        var draws = Enumerable.Repeat(new ImageDraw(0, 0, false, false, numbers, NoiseStart: 7), (int)images.shape[0]).ToArray();
        return augmenter.Filter(images.to(TestDevice.Torch), Augmentation.Parse(augmentation), draws).cpu();
    }
}

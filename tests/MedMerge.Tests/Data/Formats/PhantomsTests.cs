using MedMerge.Data;
using MedMerge.Data.Formats;

namespace MedMerge.Tests.Data.Formats;

public class PhantomsTests
{
    private const int Side = 20;

    /// <summary>Every result on synthetic images rests on these bytes.</summary>
    [Theory]
    [InlineData("lesions", "761add5aa3b332b50f7a10b23cff5170153499e357fbda6849cfce96396829a8")]
    [InlineData("opacities", "1dbcdda226ef6cf7543f58ca24e1d418ecee86278544c7d65697c46324624d94")]
    [InlineData("cells", "7ebc37f8c3a8057bc567c3c95703c542588ef4d179fad3e73a4595d04d7d7930")]
    [InlineData("vessels", "9ffaf8cc6e405fe55123fd28138264fd27c0fc7ae71ff5946617367e0094af33")]
    [InlineData("nodules", "e83c67dc695f876ae1933bcb7a61c138dc4f9670f71c612fca194e8adf721e3c")]
    [InlineData("cavities", "54afdd303389d4d6249da52b7afec0cc9a00b055cf327d8f50b5b9a779a65d93")]
    [InlineData("fibres", "f5e6de9280b053a139b66da28645084d7e981581f1dd7a0e34a4b45eed305400")]
    [InlineData("spots", "5374cb995f14e3bf9a12e66ba592a7e996fa6c4720444bd095f322663b2bf068")]
    [InlineData("masses", "0a2fa5fc9fd8c6c1c5105934e8b84e162464ce02b2309f55f488ce407598deed")]
    public void A_phantom_is_drawn_the_same_as_ever(string task, string hash) => Assert.Equal(hash, Phantoms.Create(task).ContentHash);

    [Theory]
    [InlineData("nodules", 400, 4)]
    [InlineData("cavities", 1600, 2)]
    [InlineData("fibres", 1600, 2)]
    [InlineData("spots", 1200, 3)]
    [InlineData("masses", 1200, 2)]
    public void A_task_has_its_own_size_and_balanced_classes(string task, int train, int classes)
    {
        var data = Phantoms.Create(task);
        Assert.Equal((Side, Side, train), (data.Info.Height, data.Info.Width, data.Train.Count));
        Assert.Equal(classes, data.Classes);
        Assert.All(data.Train.Labels.CountBy(label => label), count => Assert.Equal(train / classes, count.Value));
    }

    /// <summary>The fibres' direction can be measured in single images, and agrees with the half of the label that names it.</summary>
    [Theory]
    [InlineData("nodules", true)]
    [InlineData("fibres", true)]
    [InlineData("cavities", false)]
    [InlineData("spots", false)]
    [InlineData("masses", false)]
    public void Fibres_run_as_the_label_says_or_there_are_none(string task, bool hasFibres)
    {
        var split = Phantoms.Create(task, train: 400).Train;
        var agreeing = Enumerable.Range(0, split.Count).Count(i => MeasureRising(split, i) > 0 == (split.Labels[i] % 2 == 1));
        var share = (double)agreeing / split.Count;
        if (hasFibres) Assert.InRange(share, 0.98, 1);
        else Assert.InRange(share, 0.3, 0.7);
    }

    /// <summary>Hollow nodules are dark in the middle: half the label of one task, the whole of another, and no part of a third.</summary>
    [Fact]
    public void Nodules_are_hollow_as_the_label_says()
    {
        var nodules = MeasureMiddles("nodules");
        Assert.True(nodules[0] - nodules[2] > 0.08);
        Assert.True(nodules[1] - nodules[3] > 0.08);
        Assert.Equal(nodules[0], nodules[1], 0.02);
        Assert.Equal(nodules[2], nodules[3], 0.02);
        var cavities = MeasureMiddles("cavities");
        Assert.Equal(nodules[0], cavities[0], 0.02);
        Assert.Equal(nodules[2], cavities[1], 0.02);
        var fibres = MeasureMiddles("fibres");
        Assert.Equal(fibres[0], fibres[1], 0.02);
    }

    /// <summary>
    /// Half a period apart across fibres that rise, pixels differ; along them they are alike. Above zero where fibres rise.
    /// </summary>
    private static double MeasureRising(ImageSplit split, int image)
    {
        const int Apart = 2;
        var pixels = split.Pixels.AsSpan(image * Side * Side, Side * Side);
        var mean = 0.0;
        foreach (var pixel in pixels) mean += pixel / (double)pixels.Length;
        var rising = 0.0;
        for (var y = 0; y < Side - Apart; y++)
        {
            for (var x = 0; x < Side - Apart; x++)
            {
                rising += (pixels[(y * Side) + x + Apart] - mean) * (pixels[((y + Apart) * Side) + x] - mean);
                rising -= (pixels[(y * Side) + x] - mean) * (pixels[((y + Apart) * Side) + x + Apart] - mean);
            }
        }
        return rising;
    }

    /// <summary>For each label the mean brightness of the middle 4 × 4 pixels, 0 to 1.</summary>
    private static double[] MeasureMiddles(string task)
    {
        var split = Phantoms.Create(task, train: 800).Train;
        return [.. split.Labels.Index().GroupBy(item => item.Item).OrderBy(group => group.Key).Select(group => group.Average(item =>
            Enumerable.Range(0, 16).Average(p =>
                split.Pixels[(item.Index * Side * Side) + (((Side / 2) - 2 + (p / 4)) * Side) + (Side / 2) - 2 + (p % 4)] / 255.0)))];
    }
}

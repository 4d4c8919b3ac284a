using MedMerge.Data;
using MedMerge.Data.Checks;

namespace MedMerge.Tests.Data.Checks;

/// <summary>Oddities are found with their counts, and nothing is found in a data set that has none.</summary>
public class DatasetChecksTests
{
    private const int Side = 8;

    [Fact]
    public void A_plain_data_set_has_none() => Assert.Empty(DatasetChecks.Run(Create(Random(1, 40), Random(2, 20), Random(3, 20))));

    [Fact]
    public void Copies_are_counted_within_and_between_splits()
    {
        var (train, validation, test) = (Random(1, 40), Random(2, 20), Random(3, 20));
        train[7] = train[2]; // of the other label
        validation[0] = train[4];
        test[0] = train[6];
        test[3] = train[8]; // of the other label

        string[] expected =
        [
            "1 image of val is also in train",
            "2 images of test are also in train",
            "1 image of train is a copy of another there",
            "2 images have copies with another label",
        ];
        Assert.Equal(expected, DatasetChecks.Run(Create(train, validation, test)));
    }

    [Fact]
    public void Constant_images_and_unequal_brightness_are_named()
    {
        var (train, validation, test) = (Random(1, 40), Random(2, 20), Random(3, 20));
        foreach (var image in test) for (var i = 0; i < image.Length; i++) image[i] /= 2;
        Array.Fill(train[5], (byte)90);

        var notes = DatasetChecks.Run(Create(train, validation, test));

        Assert.Equal("1 image of train has one value everywhere", notes[0]);
        Assert.Matches("^images of test are darker than those of train: 6[0-9] against 12[0-9] of 255 on average$", notes[1]);
        Assert.Equal(2, notes.Count);
    }

    [Fact]
    public void Images_that_use_a_tenth_of_the_range_are_named()
    {
        var splits = new[] { Random(1, 40), Random(2, 20), Random(3, 20) };
        foreach (var image in splits.SelectMany(split => split)) for (var i = 0; i < image.Length; i++) image[i] /= 16;

        var note = Assert.Single(DatasetChecks.Run(Create(splits[0], splits[1], splits[2])));
        Assert.StartsWith("no value is above 25 of 255", note, StringComparison.Ordinal);
    }

    private static byte[][] Random(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Side * Side).Select(_ => (byte)random.Next(256)).ToArray())];
    }

    private static ImageDataset Create(params ReadOnlySpan<byte[][]> splits)
    {
        var info = new DatasetInfo
        {
            Name = "checked",
            Height = Side,
            Width = Side,
            Channels = 1,
            Classes = 2,
            Provenance = new Provenance("test", Sha256: null),
        };
        return new ImageDataset(info, Split(splits[0]), Split(splits[1]), Split(splits[2])).Validated();

        static ImageSplit Split(byte[][] images) =>
            new([.. images.SelectMany(image => image)], [.. Enumerable.Range(0, images.Length).Select(i => i % 2)]);
    }
}

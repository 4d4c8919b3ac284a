using MedMerge.Data;
using MedMerge.Data.Checks;
using MedMerge.Data.Formats.Images;

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
        var notes = DatasetChecks.Run(Create(train, validation, test));
        Assert.Equal(expected, notes.Select(note => note.Text));
        Assert.Equal([true, true, false, false], notes.Select(note => note.IsLeak)); // what a model is trained on
    }

    [Fact]
    public void Near_copies_are_counted_beside_exact_ones()
    {
        var (train, validation, test) = (Random(1, 40), Random(2, 20), Random(3, 20));
        test[0] = Darken(train[6]);
        test[3] = Darken(train[9]); // of the same label
        validation[1] = test[0]; // an exact copy of a near one, of another label
        train[20] = Darken(train[0]);

        string[] expected =
        [
            "1 image of test is also in val",
            "1 image has copies with another label",
            "1 image of val is a near copy of one in train",
            "2 images of test are near copies of one in train",
            "2 images of train are near copies of another there",
            "1 pair of near copies has two labels",
        ];
        Assert.Equal(expected, DatasetChecks.Run(Create(train, validation, test)).Select(note => note.Text));

        static byte[] Darken(byte[] image) => Array.ConvertAll(image, value => (byte)(value * 3 / 4));
    }

    /// <summary>A source that has learned the target's test images is noted, in whatever size they were.</summary>
    [Fact]
    public void Images_that_a_model_was_trained_on_are_counted_between_data_sets()
    {
        var target = Create(Random(1, 40), Random(2, 20), Random(3, 20));
        var other = Random(4, 40);
        other[4] = Random(3, 20)[7];
        var learned = Create(other, Random(5, 20), Random(6, 20));
        var larger = ImagePreparation.Apply(learned, new ImageSettings { Size = 24 });

        var note = Assert.Single(CopyChecks.Between(larger, target));
        Assert.Equal(new DataNote("1 image of test is a copy of one that the source has learned", IsLeak: true), note);
        Assert.Empty(CopyChecks.Between(Create(Random(4, 40), Random(5, 20), Random(6, 20)), target));
    }

    /// <summary>All with all would take hours for a hundred thousand; what is tested is sought all the same.</summary>
    [Fact]
    public void Among_many_images_those_that_are_tested_are_sought()
    {
        var (train, test) = (Random(1, NearCopies.MaxImages), Random(3, 20));
        test[6] = Array.ConvertAll(train[4], value => (byte)(value * 3 / 4));
        const string sample =
            "these are more than 20,000 images: near copies were looked for of 40 of 40 of val and test, not within train";

        var notes = DatasetChecks.Run(Create(train, Random(2, 20), test));
        Assert.Equal(["1 image of test is a near copy of one in train", sample], notes.Select(note => note.Text));
        Assert.Equal([true, false], notes.Select(note => note.IsLeak));

        var target = Create(Random(4, 20), Random(5, 20), test);
        var between = Assert.Single(CopyChecks.Between(Create(train, Random(2, 20), Random(3, 20)), target));
        Assert.Equal("1 image of test is a copy of one that the source has learned", between.Text);
    }

    [Fact]
    public void Constant_images_and_unequal_brightness_are_named()
    {
        var (train, validation, test) = (Random(1, 40), Random(2, 20), Random(3, 20));
        foreach (var image in test) for (var i = 0; i < image.Length; i++) image[i] /= 2;
        Array.Fill(train[5], (byte)90);

        var notes = DatasetChecks.Run(Create(train, validation, test));

        Assert.Equal(new DataNote("1 image of train has one value everywhere"), notes[0]);
        Assert.Matches("^images of test are darker than those of train: 6[0-9] against 12[0-9] of 255 on average$", notes[1].Text);
        Assert.Equal(2, notes.Count);
    }

    [Fact]
    public void Images_that_use_a_tenth_of_the_range_are_named()
    {
        var splits = new[] { Random(1, 40), Random(2, 20), Random(3, 20) };
        foreach (var image in splits.SelectMany(split => split)) for (var i = 0; i < image.Length; i++) image[i] /= 16;

        var note = Assert.Single(DatasetChecks.Run(Create(splits[0], splits[1], splits[2])));
        Assert.StartsWith("no value is above 25 of 255", note.Text, StringComparison.Ordinal);
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

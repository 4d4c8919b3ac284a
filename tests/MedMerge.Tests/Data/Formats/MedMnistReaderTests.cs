using MedMerge.Data;
using MedMerge.Data.Formats;

namespace MedMerge.Tests.Data.Formats;

public sealed class MedMnistReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-data-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void BreastMnist_is_read_as_published()
    {
        var data = MedMnistReader.Read(RealData.File("breastmnist/breastmnist.npz"));
        Assert.Equal((546, 78, 156), (data.Train.Count, data.Validation.Count, data.Test.Count));
        Assert.Equal((28, 28, 1, 2), (data.Height, data.Width, data.Channels, data.Classes));
        Assert.Equal(147, data.Train.Labels.Count(label => label == 0)); // malignant
        Assert.False(data.IsSynthetic);
    }

    [Theory]
    [InlineData(28, 1)]
    [InlineData(64, 3)]
    [InlineData(224, 3)]
    public void Sides_and_colours(int side, int channels)
    {
        var data = MedMnistReader.Read(NpzFile.Write(_folder, side, channels));
        Assert.Equal((side, channels, 2), (data.Height, data.Channels, data.Classes));
        Assert.Equal((byte)7, data.Train.Pixels[1]);
    }

    [Fact]
    public void A_label_out_of_range_is_named_with_its_place() =>
        Refused(
            "label 5 of image 2 in the split 'test' is out of range; there are 2 classes",
            NpzFile.Write(_folder, label: (split, i) => split == "test" && i == 2 ? 5 : i % 2));

    [Fact]
    public void A_negative_label_is_out_of_range() =>
        Refused("label -1 of image 0 in the split 'train'", NpzFile.Write(_folder, label: (_, i) => i == 0 ? -1 : i % 2));

    [Fact]
    public void One_class_only_is_refused() =>
        Refused("has 1 class(es)", NpzFile.Write(_folder, label: (_, _) => 0));

    [Fact]
    public void One_class_only_in_a_split_is_refused() =>
        Refused("the split 'val' holds one class only (label 1)", NpzFile.Write(_folder, label: (split, i) => split == "val" ? 1 : i % 2));

    [Fact]
    public void An_empty_split_is_refused() =>
        Refused("the split 'val' is empty", NpzFile.Write(_folder, validation: 0));

    [Fact]
    public void A_class_without_training_images_is_refused() =>
        Refused("no training image has label 1", NpzFile.Write(_folder, label: (split, i) => i % 2 * (split == "train" ? 2 : 1)));

    [Fact]
    public void A_missing_array_is_named() =>
        Refused("no array 'train_images'", NpzFile.Write(_folder, rename: name => name == "train_images" ? "images" : name));

    [Fact]
    public void A_missing_file_is_named() => Refused("There is no data set '/nowhere.npz'", "/nowhere.npz");

    [Fact]
    public void A_folder_is_told_from_a_file() => Refused($"'{_folder}' is a folder, not a data set", _folder);

    /// <summary>Descriptions of NumPy types as they stand in a file, put in place of the right one.</summary>
    [Theory]
    [InlineData("train_images", "|i1", "values of int8; wanted is uint8")]
    [InlineData("train_images", "|b1", "its values are bool; wanted are integers")]
    [InlineData("train_labels", "<f8", "its values are float64; wanted are integers: save it with .astype")]
    [InlineData("train_labels", ">i8", "its values are big-endian; save it with .astype(np.int64)")]
    [InlineData("train_labels", "<u8", null)]
    [InlineData("train_labels", "|O", "its values are Python objects")]
    public void Another_type_is_named_with_its_remedy(string array, string type, string? says)
    {
        var path = NpzFile.Write(_folder, type: (name, usual) => name == array ? type : usual);
        if (says is null) Assert.Equal(2, MedMnistReader.Read(path).Classes);
        else Refused(says, path);
    }

    [Fact]
    public void A_flipped_bit_is_found_by_the_checksum()
    {
        var path = NpzFile.Write(_folder, side: 8);
        var bytes = File.ReadAllBytes(path);
        bytes[400] ^= 1; // among the pixels of the first array
        File.WriteAllBytes(path, bytes);
        Refused("it is damaged: its checksum differs", path);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        var whole = File.ReadAllBytes(NpzFile.Write(_folder, side: 8));
        var path = Path.Combine(_folder, "cut.npz");
        for (var length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<InputException>(() => MedMnistReader.Read(path));
        }
    }

    private static void Refused(string reason, string path) =>
        Assert.Contains(reason, Assert.Throws<InputException>(() => MedMnistReader.Read(path)).Message, StringComparison.Ordinal);
}

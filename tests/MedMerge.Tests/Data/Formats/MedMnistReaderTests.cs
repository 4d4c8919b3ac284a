using System.Buffers.Binary;
using System.Text.RegularExpressions;
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
    [InlineData("train_images", "|b1", "its values are bool; images have values from 0 to 255: save them with .astype(np.uint8)")]
    [InlineData("train_images", "<f4", "those from 0 to 1 with (255 * images).round().astype(np.uint8)")]
    [InlineData("train_labels", "<f8", "its values are float64; labels are classes: save them with .astype(np.int64)")]
    [InlineData("train_labels", "x", "its values are of the type 'x'; labels are classes")]
    [InlineData("train_labels", ">i8", "its values are big-endian; save it with .astype(np.int64)")]
    [InlineData("train_labels", "<u8", null)]
    [InlineData("train_labels", "|O", "its values are Python objects")]
    public void Another_type_is_named_with_its_remedy(string array, string type, string? says)
    {
        var path = NpzFile.Write(_folder, type: (name, usual) => name == array ? type : usual);
        if (says is null) Assert.Equal(2, MedMnistReader.Read(path).Classes);
        else Refused(says, path);
    }

    /// <summary>As NumPy's own reader takes them: it evaluates the header as a Python literal.</summary>
    [Theory]
    [InlineData("'descr': '(.*)', 'fortran_order': False, 'shape': (.*), ", "'shape': $2, 'fortran_order': False, 'descr': '$1'")]
    [InlineData("'", "\"")]
    [InlineData(@"(\d+)(?=[,)])", "$1L")]
    [InlineData(" ", "")]
    [InlineData("[:,]", " $0\n ")]
    public void A_header_is_read_however_it_is_written(string pattern, string replacement)
    {
        var path = NpzFile.Write(_folder, header: usual => Regex.Replace(usual, pattern, replacement));
        var data = MedMnistReader.Read(path);
        Assert.Equal((28, 8, 2), (data.Height, data.Train.Count, data.Classes));
    }

    [Theory]
    [InlineData("'fortran_order': False, ", "", "its header can't be read")]
    [InlineData("False", "Maybe", "its header can't be read")]
    [InlineData("}", "", "its header can't be read")]
    [InlineData("8, 28", "9, 28", "its header says that it has 7184 bytes, and it has 6400")]
    [InlineData("8, 28", "2000, 28", "its header says that it has")]
    [InlineData("8, 28", "99999999, 99999", "array 'train_images'")]
    [InlineData("'|u1'", "[('a', '|u1')]", "its values are structured")]
    public void A_header_that_does_not_fit_is_refused(string old, string other, string reason) =>
        Refused(reason, NpzFile.Write(_folder, header: usual => usual.Replace(old, other, StringComparison.Ordinal)));

    [Theory]
    [InlineData(0, 0, "no pixel of the split 'train' is above 1, where images have values from 0 to 255")]
    [InlineData(0, 1, "Save those from 0 to 1 with (255 * images).round().astype(np.uint8)")]
    [InlineData(200, 200, "all pixels of the split 'train' have the value 200")]
    public void Images_without_content_are_refused(byte even, byte odd, string reason) =>
        Refused(reason, NpzFile.Write(_folder, pixel: i => i % 2 == 0 ? even : odd));

    [Fact]
    public void An_array_that_is_there_twice_is_refused() => Refused(
        "its entry 'train_images.npy' is there twice",
        NpzFile.Write(_folder, rename: name => name == "val_images" ? "train_images" : name));

    /// <summary>What is stored compressed may not claim more than deflate can make of it.</summary>
    [Fact]
    public void An_entry_that_claims_more_than_it_can_hold_is_refused()
    {
        var path = NpzFile.Write(_folder);
        var bytes = File.ReadAllBytes(path);
        var directory = bytes.AsSpan().IndexOf("PK\x01\x02"u8);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(directory + 24), 0x7fffffff);
        File.WriteAllBytes(path, bytes);
        Refused("its entry 'train_images.npy' claims 2147483647 bytes, more than it can hold", path);
    }

    [Fact]
    public void A_flipped_bit_is_found_by_the_checksum()
    {
        var path = NpzFile.Write(_folder, side: 8);
        var bytes = File.ReadAllBytes(path);
        bytes[400] ^= 1; // among the pixels of the first array
        File.WriteAllBytes(path, bytes);
        Refused("its entry 'train_images.npy' is damaged: its checksum differs", path);
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

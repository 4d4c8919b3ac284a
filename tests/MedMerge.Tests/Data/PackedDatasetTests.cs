using System.Buffers.Binary;
using System.Text;
using MedMerge.Data;
using MedMerge.Data.Formats;

namespace MedMerge.Tests.Data;

public class PackedDatasetTests
{
    private const string Origin = "'scans'";
    private const int MagicLength = 20;
    private const int HeaderStart = MagicLength + sizeof(int);

    private static readonly ImageDataset Small = new(
        new DatasetInfo
        {
            Name = "scans",
            Height = 2,
            Width = 3,
            Channels = 1,
            Classes = 2,
            ClassNames = ["healthy", "ill"],
            Provenance = new Provenance("MedMNIST .npz", "00ff"),
        },
        new ImageSplit([.. Enumerable.Range(0, 24).Select(i => (byte)i)], [0, 1, 1, 0]),
        new ImageSplit([.. Enumerable.Range(50, 12).Select(i => (byte)i)], [1, 0]),
        new ImageSplit([.. Enumerable.Range(90, 12).Select(i => (byte)i)], [0, 1]));

    private static readonly ImageDataset Grouped = new(
        Small.Info,
        Small.Train with { Weights = [1, 2, 1, 0.5f], Groups = [7, 7, 0, ulong.MaxValue] },
        Small.Validation with { Groups = [1, 2] },
        Small.Test with { Groups = [3, 3] });

    [Fact]
    public void Everything_comes_back()
    {
        foreach (var data in new[] { Small, Grouped, Phantoms.Create("cells", side: 9, train: 6, validation: 3, test: 3) })
        {
            var packed = PackedDataset.Write(data);
            var read = PackedDataset.Read(packed, Origin);

            Assert.Equivalent(data.Info, read.Info, strict: true);
            Assert.Equal(data.ContentHash, read.ContentHash);
            foreach (var (one, other) in new[] { (data.Train, read.Train), (data.Validation, read.Validation), (data.Test, read.Test) })
            {
                Assert.Equal(one.Pixels, other.Pixels);
                Assert.Equal(one.Labels, other.Labels);
                Assert.Equal(one.Weights, other.Weights);
                Assert.Equal(one.Groups, other.Groups);
            }
            Assert.Equal(packed, PackedDataset.Write(read));
        }
    }

    /// <summary>Another form needs another first line, so that a node of another version refuses it instead of misreading it.</summary>
    [Fact]
    public void The_form_is_that_of_the_stores_that_people_have() =>
        Assert.Equal("cb0c2ae6754fc28d0042a4a82115a4e4", ContentHash.Of(PackedDataset.Write(Small))[..32]);

    [Fact]
    public void A_packed_data_set_cut_anywhere_is_refused()
    {
        var packed = PackedDataset.Write(Grouped);
        for (var length = 0; length < packed.Length; length++) AssertRefused("", packed[..length]);
    }

    /// <summary>Only what is for display may differ; the store checks the whole file by its hash besides.</summary>
    [Fact]
    public void A_changed_byte_never_changes_what_is_computed()
    {
        var packed = PackedDataset.Write(Grouped);
        for (var i = 0; i < packed.Length; i++)
        {
            var changed = packed.ToArray();
            changed[i] ^= 1;
            try
            {
                Assert.Equal(Grouped.ContentHash, PackedDataset.Read(changed, Origin).ContentHash);
                Assert.InRange(i, HeaderStart, HeaderStart + HeaderLength(packed));
            }
            catch (InputException)
            {
                continue;
            }
        }
    }

    [Theory]
    [InlineData("\"Images\":[4,2,2]", "\"Images\":[4,2]", "it has 2 splits instead of 3")]
    [InlineData("\"Images\":[4,2,2]", "\"Images\":[4,-2,2]", "a length in it is negative")]
    [InlineData("\"Images\":[4,2,2]", "\"Images\":[4,2,3]", "it is truncated")]
    [InlineData("\"Images\":[4,2,2]", "\"Images\":[4,2,1]", "bytes follow its end")]
    [InlineData("\"Images\":[4,2,2]", "\"Images\":null", "can't be read")]
    [InlineData("\"Height\":2", "\"Height\":2147483647", "it is truncated")]
    [InlineData("\"Height\":2", "\"Height\":0", "its images have the shape [0, 3, 1]")]
    [InlineData("\"Height\":2", "\"Height\":3", "it is truncated")]
    [InlineData("\"Channels\":1", "\"Channels\":2", "its images have the shape [2, 3, 2]")]
    [InlineData("\"Classes\":2", "\"Classes\":3", "it is damaged: its hash differs")]
    [InlineData("\"Name\":\"scans\"", "\"Name\":null", "can't be read")]
    [InlineData("\"Name\":\"scans\"", "\"Name\":\"scans\",\"Groups\":1", "can't be read")]
    [InlineData("\"ClassNames\":[\"healthy\",\"ill\"]", "\"ClassNames\":[\"healthy\"]", "has 2 classes and names 1")]
    [InlineData("\"Info\":{", "\"Info\":null,\"Other\":{", "can't be read")]
    public void A_header_that_does_not_fit_is_refused(string old, string replacement, string reason)
    {
        var packed = PackedDataset.Write(Small);
        var length = HeaderLength(packed);
        var header = Encoding.UTF8.GetString(packed, HeaderStart, length);
        Assert.Contains(old, header, StringComparison.Ordinal);
        var changed = Encoding.UTF8.GetBytes(header.Replace(old, replacement, StringComparison.Ordinal));

        byte[] start = [.. packed[..MagicLength], .. BitConverter.GetBytes(changed.Length)];
        AssertRefused(reason, [.. start, .. changed, .. packed[(HeaderStart + length)..]]);
    }

    [Theory]
    [InlineData(-1, "a length in it is negative")]
    [InlineData(int.MaxValue, "it is truncated")]
    public void A_length_of_the_header_that_does_not_fit_is_refused(int length, string reason)
    {
        var packed = PackedDataset.Write(Small);
        BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(MagicLength), length);

        AssertRefused(reason, packed);
    }

    [Fact]
    public void Another_file_is_refused() =>
        AssertRefused("it is not a packed data set of this version", "PK\x3\x4, a zip file"u8.ToArray());

    /// <summary>Training sees nothing of them, so stages that were computed before they were kept stay valid.</summary>
    [Fact]
    public void Groups_are_not_in_the_content_hash()
    {
        var unweighted = Grouped.Train with { Weights = null };
        Assert.Equal(Small.ContentHash, new ImageDataset(Small.Info, unweighted, Grouped.Validation, Grouped.Test).ContentHash);
    }

    [Fact]
    public void A_data_set_of_more_than_two_gibibytes_is_refused()
    {
        var images = new ImageSplit([], [0, 1]);
        var large = new ImageDataset(Small.Info with { Height = 20_000, Width = 20_000 }, images, images, images);

        var error = Assert.Throws<InputException>(() => PackedDataset.Write(large));

        Assert.Contains("Data set scans has 2.2 GiB of images; 2 GiB are the most.", error.Message, StringComparison.Ordinal);
    }

    private static int HeaderLength(byte[] packed) => BinaryPrimitives.ReadInt32LittleEndian(packed.AsSpan(MagicLength));

    private static void AssertRefused(string reason, byte[] packed)
    {
        var error = Assert.Throws<InputException>(() => PackedDataset.Read(packed, Origin));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}

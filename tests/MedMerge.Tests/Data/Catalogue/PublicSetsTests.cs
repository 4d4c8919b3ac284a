using MedMerge.Data;
using MedMerge.Data.Catalogue;
using MedMerge.Data.Checks;

namespace MedMerge.Tests.Data.Catalogue;

/// <summary>Public data sets are recognised, and those of a common origin are related.</summary>
public class PublicSetsTests
{
    [Theory]
    [InlineData("breastmnist", "breastmnist")]
    [InlineData("BreastMNIST_128", "breastmnist")]
    [InlineData("organcmnist-224", "organcmnist")]
    [InlineData("HAM10000", "HAM10000")]
    [InlineData("ISIC_2019_Training_Input", "ISIC 2019")]
    [InlineData("Dataset_BUSI_with_GT", "BUSI")]
    [InlineData("nih_cxr_224", "NIH ChestX-ray14")]
    [InlineData("NCT-CRC-HE-100K-NONORM", "NCT-CRC-HE-100K")]
    [InlineData("my-breastmnist", null)]
    [InlineData("chestmnist_65", null)]
    [InlineData("images", null)]
    public void A_set_is_recognised_by_its_name(string name, string? expected) =>
        Assert.Equal(expected, PublicSets.Find(Create(name))?.Name);

    [Fact]
    public void MedMNISTs_are_recognised_by_their_counts_too()
    {
        Assert.Equal("breastmnist", PublicSets.Find(Create("scans", validation: 78, test: 156))?.Name);
        Assert.Null(PublicSets.Find(Create("scans", validation: 78, test: 156, classes: 3)));
        Assert.Null(PublicSets.Find(Create("breastmnist", isSynthetic: true)));
        var counts = PublicSets.All.Where(set => set.Counts is not null).Select(set => set.Counts).ToList();
        Assert.Equal(12, counts.Count);
        Assert.Distinct(counts);
    }

    [Theory]
    [InlineData("organamnist", "organcmnist", "LiTS (Bilic et al. 2023)")]
    [InlineData("organsmnist_64", "organamnist", "LiTS (Bilic et al. 2023)")]
    [InlineData("dermamnist", "isic2019", "HAM10000 (Tschandl et al. 2018)")]
    [InlineData("breastmnist_64", "busi", "BUSI (Al-Dhabyani et al. 2020)")]
    [InlineData("breastmnist_64", "breastmnist", "BUSI (Al-Dhabyani et al. 2020)")]
    [InlineData("pathmnist", "crc-val-he-7k", "CRC-VAL-HE-7K (Kather et al. 2019)")]
    [InlineData("chestmnist", "nih_cxr_224", "NIH ChestX-ray14 (Wang et al. 2017)")]
    [InlineData("pneumoniamnist", "octmnist", null)]
    [InlineData("pneumoniamnist", "chestmnist", null)]
    [InlineData("nct-crc-he-100k", "crc-val-he-7k", null)]
    [InlineData("breastmnist", "images", null)]
    public void Sets_of_a_common_origin_are_related_in_both_directions(string one, string other, string? origin)
    {
        var expected = origin is null ? null : $"both were made of {origin}";

        Assert.Equal(expected, OriginChecks.Between(Create(one), Create(other)));
        Assert.Equal(expected, OriginChecks.Between(Create(other), Create(one)));
    }

    [Fact]
    public void A_known_set_is_described_with_what_is_related_to_it()
    {
        Assert.Equal(
            "taken for organamnist; its images are from LiTS (Bilic et al. 2023), as are those of organcmnist, organsmnist",
            OriginChecks.Describe(Create("organamnist")));
        Assert.Equal(
            "taken for breastmnist; its images are from BUSI (Al-Dhabyani et al. 2020)",
            OriginChecks.Describe(Create("breastmnist")));
        Assert.Equal(
            "taken for bloodmnist; its images are from a set of peripheral blood cells (Acevedo et al. 2020)",
            OriginChecks.Describe(Create("bloodmnist")));
        Assert.Equal(
            "taken for HAM10000; its images are from HAM10000 (Tschandl et al. 2018), as are those of dermamnist, ISIC 2018, ISIC 2019",
            OriginChecks.Describe(Create("HAM10000")));
        Assert.Null(OriginChecks.Describe(Create("images")));
    }

    [Fact]
    public void Names_lead_to_one_set_each() => Assert.Distinct(PublicSets.All.SelectMany(set => set.FileNames));

    private static ImageDataset Create(string name, int validation = 4, int test = 4, int classes = 2, bool isSynthetic = false)
    {
        var info = new DatasetInfo
        {
            Name = name,
            Height = 8,
            Width = 8,
            Channels = 1,
            Classes = classes,
            Provenance = new Provenance("test", Sha256: null, isSynthetic),
        };
        return new ImageDataset(info, CreateSplit(4), CreateSplit(validation), CreateSplit(test));

        static ImageSplit CreateSplit(int count) => new(new byte[count * 64], [.. Enumerable.Range(0, count).Select(i => i % 2)]);
    }
}

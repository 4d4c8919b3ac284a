using System.Security.Cryptography;
using MedMerge.Data;
using MedMerge.Data.Catalogue;
using MedMerge.Models;

namespace MedMerge.Tests.Data.Catalogue;

/// <summary>The catalogue's facts have their form, and agree with the real file that is here.</summary>
public class PublicCatalogueTests
{
    private static readonly IReadOnlyList<CatalogueFile> Files = [.. PublicCatalogue.Entries.SelectMany(entry => entry.Files)];

    [Fact]
    public void There_are_twelve_data_sets_in_four_sizes_and_weights_for_torchvisions_architectures()
    {
        var sets = PublicCatalogue.Entries.Where(entry => !entry.IsWeights).ToList();
        Assert.Equal(12, sets.Count);
        Assert.All(sets, set => Assert.Equal([28, 64, 128, 224], set.Files.Select(file => file.ImageSize!.Value)));

        string[] architectures = ["resnet18", "resnet34", "resnet50", "densenet121", "vgg16_bn", "mobilenet_v2"];
        var weights = PublicCatalogue.Entries.Where(entry => entry.IsWeights).ToList();
        Assert.Equal(architectures, weights.Select(entry => entry.Name).Where(name => Architectures.Names.Contains(name)));
        Assert.All(weights, entry => Assert.Contains(entry.Normalisation!, InputNormalisation.Known.Keys));
    }

    [Fact]
    public void Every_file_has_an_address_a_hash_and_a_name_of_its_own()
    {
        Assert.All(Files, file =>
        {
            Assert.Equal(Uri.UriSchemeHttps, file.Address.Scheme);
            Assert.EndsWith(Path.GetFileName(file.Path), file.Address.AbsolutePath, StringComparison.Ordinal);
            var isMd5 = file.Hash.Algorithm == HashAlgorithmName.MD5;
            Assert.Matches(isMd5 ? "^[0-9a-f]{32}$" : "^([0-9a-f]{64}|[0-9a-f]{8})$", file.Hash.Digits);
            Assert.True(file.Bytes is null || file.Bytes == file.MaxBytes);
            Assert.InRange(file.MaxBytes, 500_000, 20_000_000_000);
        });
        Assert.Distinct(Files.Select(file => file.Path));
        Assert.Distinct(Files.Select(file => file.Address));
        Assert.Distinct(Files.Select(file => file.Hash.Digits));
        Assert.Distinct(PublicCatalogue.Entries.Select(entry => entry.Name));
    }

    /// <summary>Two sources agree: the digits of torchvision's file name, and the size in its sources.</summary>
    [Fact]
    public void Weights_have_the_hash_of_their_names()
    {
        var weights = PublicCatalogue.Entries.Where(entry => entry.IsWeights).Select(entry => entry.Files[0]);

        Assert.All(weights, file => Assert.Matches($"-{file.Hash.Digits[..8]}\\.pth$", file.Path));
    }

    [Theory]
    [InlineData("f37072fd47e8", true)]
    [InlineData("f37072fe47e8", false)]
    [InlineData("f37072f", false)]
    public void A_hash_of_which_only_the_first_digits_are_known_is_compared_in_those(string digits, bool isMatch)
    {
        var hash = FileHash.Sha256("f37072fd");

        Assert.Equal(isMatch, hash.Matches(digits));
        Assert.Equal("SHA-256 f37072fd…", hash.ToString());
    }

    [Fact]
    public async Task The_real_BreastMNIST_is_the_catalogues()
    {
        var path = RealData.File("breastmnist/breastmnist.npz");
        var file = Files.Single(file => file.Path == "breastmnist/breastmnist.npz");

        await using var content = File.OpenRead(path);

        Assert.Equal(content.Length, file.Bytes);
        Assert.Equal(file.Hash.Digits, await file.Hash.ComputeAsync(content, TestContext.Current.CancellationToken));
    }
}

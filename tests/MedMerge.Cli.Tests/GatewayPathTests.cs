namespace MedMerge.Cli.Tests;

/// <summary>Paths that a gateway sends are written below the output folder, and nowhere else.</summary>
public sealed class GatewayPathTests
{
    [Theory]
    [InlineData("results.json")]
    [InlineData("medmerge/seed-0/model.safetensors")]
    [InlineData("sources/v1..2.safetensors")] // a source may be called v1..2, or v1.
    [InlineData("sources/v1..safetensors")]
    [InlineData("v1./x")]
    [InlineData("breast, a and b, fineTune.epochs=4/medmerge/seed-0/model.safetensors")]
    [InlineData("...")]
    public void A_path_of_plain_segments_is_inside_the_folder(string path) => Assert.True(GatewayClient.IsInsideFolder(path));

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("a/../x")]
    [InlineData("a/..")]
    [InlineData("a/./x")]
    [InlineData("/etc/passwd")]
    [InlineData("a//x")]
    [InlineData("a/")]
    [InlineData(" /x")]
    [InlineData(".. /x")]
    [InlineData("c:x")]
    [InlineData("a\\..\\x")]
    [InlineData("a\nb")]
    public void A_path_with_a_segment_that_leads_elsewhere_is_not(string path) => Assert.False(GatewayClient.IsInsideFolder(path));
}

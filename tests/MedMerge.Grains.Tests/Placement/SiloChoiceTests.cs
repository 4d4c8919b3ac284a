using MedMerge.Grains.Placement;

namespace MedMerge.Grains.Tests.Placement;

public sealed class SiloChoiceTests
{
    private static readonly (
        string,
        string?)[] Silos = [("c", "cuda"), ("a", "cuda"), ("x", "cpu"), ("d", "cuda"), ("b", "cuda"), ("y", null)];

    [Fact]
    public void A_hint_is_followed_where_the_silo_has_the_device()
    {
        Assert.Equal("c", SiloChoice.For("cuda/stage", Silos, "c"));
        Assert.Equal(SiloChoice.For("cuda/stage", Silos), SiloChoice.For("cuda/stage", Silos, "x"));
        Assert.Equal(SiloChoice.For("cuda/stage", Silos), SiloChoice.For("cuda/stage", Silos, "gone"));
    }

    [Fact]
    public void Only_silos_with_the_device_are_chosen_and_all_of_them()
    {
        var chosen = Stages().Select(stage => SiloChoice.For($"cuda/{stage}", Silos));
        Assert.Equal(["a", "b", "c", "d"], chosen.Distinct().Order(StringComparer.Ordinal));
        Assert.All(Stages(), stage => Assert.Equal("x", SiloChoice.For($"cpu/{stage}", Silos)));
    }

    [Fact]
    public void Every_node_chooses_the_same_silo()
    {
        foreach (var stage in Stages())
            Assert.Equal(SiloChoice.For($"cuda/{stage}", Silos), SiloChoice.For($"cuda/{stage}", Silos.Reverse()));
    }

    [Fact]
    public void Where_no_silo_has_the_device_the_error_says_so()
    {
        var error = Assert.Throws<OrleansException>(() => SiloChoice.For("rocm/stage", Silos));
        Assert.Contains("'rocm'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Orleans__Metadata__device", error.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Stages() => Enumerable.Range(0, 100).Select(i => $"stage{i}");
}

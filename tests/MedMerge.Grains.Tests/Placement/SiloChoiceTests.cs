using MedMerge.Grains.Placement;
using Orleans.Runtime;

namespace MedMerge.Grains.Tests.Placement;

public sealed class SiloChoiceTests
{
    private static readonly (string, string?)[] Silos = [("c", "cuda"), ("a", "cuda"), ("x", "cpu"), ("d", "cuda"), ("b", "cuda"), ("y", null)];

    [Fact]
    public void Shards_of_one_stage_are_on_different_silos_while_there_are_enough()
    {
        foreach (var stage in Stages())
        {
            var four = Enumerable.Range(0, 4).Select(shard => SiloChoice.For($"cuda/{stage}/{shard}/0", Silos)).ToList();
            Assert.Equal(["a", "b", "c", "d"], four.Order(StringComparer.Ordinal));
            Assert.Equal(four[0], SiloChoice.For($"cuda/{stage}/4/0", Silos));
        }
    }

    [Fact]
    public void A_shard_that_is_placed_anew_goes_to_another_silo()
    {
        foreach (var stage in Stages())
        {
            var placements = Enumerable.Range(0, 4).Select(placement => SiloChoice.For($"cuda/{stage}/1/{placement}", Silos)).ToList();
            Assert.Equal(4, placements.Distinct().Count());
        }
    }

    [Fact]
    public void Only_silos_with_the_device_are_chosen_and_all_of_them()
    {
        Assert.Equal(["a", "b", "c", "d"], Stages().Select(stage => SiloChoice.For($"cuda/{stage}", Silos)).Distinct().Order(StringComparer.Ordinal));
        Assert.All(Stages(), stage => Assert.Equal("x", SiloChoice.For($"cpu/{stage}", Silos)));
    }

    [Fact]
    public void Every_node_chooses_the_same_silo()
    {
        foreach (var stage in Stages()) Assert.Equal(SiloChoice.For($"cuda/{stage}/2/1", Silos), SiloChoice.For($"cuda/{stage}/2/1", Silos.Reverse()));
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

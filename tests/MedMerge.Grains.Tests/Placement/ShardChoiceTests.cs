using MedMerge.Grains.Placement;

namespace MedMerge.Grains.Tests.Placement;

public sealed class ShardChoiceTests
{
    private static readonly HashSet<string> None = [];

    [Fact]
    public void Shards_spread_evenly_over_equal_nodes()
    {
        foreach (var stage in Stages()) Assert.Equal([2, 2, 2], Counts(Spread(stage, 6, new("a", 0, 0), new("b", 0, 0), new("c", 0, 0))));
    }

    [Fact]
    public void Of_equally_busy_nodes_one_that_holds_the_sources_comes_first()
    {
        foreach (var stage in Stages()) Assert.Equal("b", Spread(stage, 1, new("a", 0, 0), new("b", 0, 1), new("c", 0, 0.5)).Single());
    }

    /// <summary>
    /// A step takes as long as its fullest node: holding the sources never makes up for a shard more.
    /// </summary>
    [Fact]
    public void A_node_that_holds_the_sources_gets_no_more_shards_than_its_share()
    {
        foreach (var stage in Stages()) Assert.Equal([2, 2], Counts(Spread(stage, 4, new("a", 0, 1), new("b", 0, 0))));
    }

    [Fact]
    public void Busy_nodes_are_left_for_idle_ones()
    {
        foreach (var stage in Stages()) Assert.Equal(["b", "b"], Spread(stage, 2, new("a", 2, 1), new("b", 0, 0)));
    }

    [Fact]
    public void Different_stages_begin_on_different_nodes()
    {
        var nodes = Stages().Select(stage => Spread(stage, 1, new("a", 0, 0), new("b", 0, 0), new("c", 0, 0)).Single());
        Assert.Equal(3, nodes.Distinct().Count());
    }

    [Fact]
    public void Where_a_shard_failed_it_goes_only_if_there_is_no_other()
    {
        Candidate[] nodes = [new("a", 0, 1), new("b", 9, 0)];
        Assert.Equal("b", ShardChoice.ChooseNode(nodes, new Dictionary<string, int>(), new HashSet<string> { "a" }, "stage"));
        Assert.Equal("a", ShardChoice.ChooseNode(nodes, new Dictionary<string, int>(), new HashSet<string> { "a", "b" }, "stage"));
        Assert.Null(ShardChoice.ChooseNode([], new Dictionary<string, int>(), None, "stage"));
    }

    private static List<string> Spread(string stage, int shards, params Candidate[] nodes)
    {
        var given = new Dictionary<string, int>();
        var chosen = new List<string>();
        for (var shard = 0; shard < shards; shard++)
        {
            var node = ShardChoice.ChooseNode(nodes, given, None, stage)!;
            given[node] = given.GetValueOrDefault(node) + 1;
            chosen.Add(node);
        }
        return chosen;
    }

    private static IEnumerable<int> Counts(List<string> chosen) => chosen.GroupBy(node => node).Select(group => group.Count());

    private static IEnumerable<string> Stages() => Enumerable.Range(0, 50).Select(i => $"stage{i}");
}

using MedMerge.Grains.Tests.Running;

namespace MedMerge.Grains.Tests.Nodes;

/// <summary>What all nodes agree on.</summary>
public sealed class ClusterViewTests
{
    [Fact]
    public void Each_sweep_has_one_node_that_wakes_it_and_another_once_that_is_dead()
    {
        var nodes = Enumerable.Range(1, 5).Select(number => new FakeMembership(number)).ToList();
        foreach (var node in nodes)
            foreach (var number in Enumerable.Range(1, 5)) node.Join(number);
        var sweeps = Enumerable.Range(0, 200).Select(number => $"sweep-{number}").ToList();

        var wakers = sweeps.Select(sweep => nodes.Single(node => node.View.IsResponsible(sweep))).ToList();
        Assert.All(nodes, node => Assert.InRange(wakers.Count(waker => waker == node), 15, 80)); // all have some

        var dead = FakeMembership.NameOf(1);
        foreach (var node in nodes) node.Kill(dead);
        foreach (var (sweep, before) in sweeps.Zip(wakers))
        {
            var waker = nodes.Skip(1).Single(node => node.View.IsResponsible(sweep));
            if (before != nodes[0]) Assert.Same(before, waker); // the others' sweeps stay theirs
        }
    }
}

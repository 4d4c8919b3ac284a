using MedMerge.Grains.Nodes;

namespace MedMerge.Grains.Tests.Nodes;

public sealed class NodeCapacityTests
{
    [Theory]
    [InlineData(16, true, 1, 16)]
    [InlineData(16, true, 5, 3)]
    [InlineData(2, true, 8, 1)]
    [InlineData(4, false, 8, 4)]
    public void Lanes_are_cores_by_threads_unless_their_number_is_set(int slots, bool isByCore, int threads, int lanes)
    {
        var capacity = new NodeCapacity(slots, isByCore, Memory: 1);
        Assert.Equal(lanes, capacity.LanesFor(threads));
        Assert.Equal(lanes, NodeCapacity.FromMetadata(capacity.ToMetadata()).LanesFor(threads)); // as other nodes see it
    }

    [Fact]
    public void A_node_that_says_nothing_has_one_lane() => Assert.Equal(1, NodeCapacity.FromMetadata(null).LanesFor(1));

    [Fact]
    public void The_options_decide_before_the_machine()
    {
        var set = NodeCapacity.Of(new NodeOptions { Lanes = 3, MemoryMiB = 100 });
        Assert.Equal(new NodeCapacity(3, IsByCore: false, Memory: 100 << 20), set);
        var machine = NodeCapacity.Of(new NodeOptions());
        Assert.Equal((Environment.ProcessorCount, true), (machine.Slots, machine.IsByCore));
        Assert.InRange(machine.Memory, 1 << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }
}

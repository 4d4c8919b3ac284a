using MedMerge.Statistics;

namespace MedMerge.Tests.Statistics;

public sealed class HolmTests
{
    /// <summary>
    /// By hand: the smallest times 4, the next times 3 and so on; none is smaller than one before it, and none exceeds 1.
    /// </summary>
    [Fact]
    public void Each_p_value_is_multiplied_by_the_number_of_tests_that_are_left()
    {
        Assert.Equal([0.875, 4 / 64.0, 6 / 64.0, 6 / 64.0], Holm.Adjust([0.875, 1 / 64.0, 3 / 64.0, 2 / 64.0]));
        Assert.Equal([1, 1], Holm.Adjust([0.75, 0.875]));
        Assert.Empty(Holm.Adjust([]));
    }
}

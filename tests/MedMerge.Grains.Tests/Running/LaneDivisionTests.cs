using MedMerge.Grains.Running;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Who may use how many lanes.</summary>
public sealed class LaneDivisionTests
{
    [Theory]
    [InlineData("8: a 0 20", "a 8")] // alone
    [InlineData("8: a 0 20, b 0 20", "a 4, b 4")]
    [InlineData("8: a 0 20, b 0 1", "a 7, b 1")] // what one does not want is the other's
    [InlineData("8: a 0 20, b 0 20, c 0 20", "a 3, b 3, c 2")]
    [InlineData("8: a 0 20, b 1 5", "a 3, b 5")] // a higher priority first
    [InlineData("8: a 0 20, b 1 20, c -1 20", "a 0, b 8, c 0")]
    [InlineData("2: a 0 1, b 0 1, c 0 1", "a 1, b 1, c 0")]
    [InlineData("0: a 0 1", "a 0")]
    public void Lanes_go_by_priority_and_then_fairly(string asked, string expected)
    {
        var parts = asked.Split(": ");
        var lanes = int.Parse(parts[0]);
        var requests = parts[1].Split(", ").Select(one => one.Split(' ')).Select(one =>
            new LaneRequest(one[0], int.Parse(one[1]), int.Parse(one[2]), lanes)).ToList();
        foreach (var order in new[] { requests, Enumerable.Reverse(requests).ToList() })
        {
            var shares = LaneDivision.Divide(lanes, order);
            Assert.Equal(expected, string.Join(", ", shares.OrderBy(share => share.Key).Select(share => $"{share.Key} {share.Value}")));
        }
    }
}

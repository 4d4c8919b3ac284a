using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>The same numbers everywhere: one silo, several, and none but the command's own.</summary>
public sealed class SameNumbersTests(AzuriteServer azurite)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task So_many_silos_give_the_bytes_of_a_plain_run(int silos)
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Small.Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(silos);
        var status = await cluster.EndAsync(await cluster.SubmitAsync(Specifications.Small.Yaml), TimeSpan.FromMinutes(5));
        Assert.True(status.State == WorkState.Done && status.Done == status.Trials.Count, TestCluster.Describe(status));
        Assert.Equal(plain, await cluster.OutputsAsync());
    }
}

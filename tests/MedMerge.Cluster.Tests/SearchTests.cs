using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>A search by successive halving on processes.</summary>
public sealed class SearchTests(AzuriteServer azurite)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private static readonly string Yaml = $$"""
        {{(Specifications.Tiny with { Name = "search", Methods = "[scratch, average]", FineTune = "{ epochs: 3, batchSize: 8 }" }).Yaml}}
        search: { over: { fineTune.learningRate: [0.0001, 0.001, 0.01, 0.1] }, halving: { factor: 2 } }
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Were another candidate to go on, other stages would be in the store.</summary>
    [Fact]
    public async Task The_same_candidates_go_on_with_one_node_and_with_five_of_which_one_dies()
    {
        var plain = await PlainRun.OutputsAsync(Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(5);
        var id = await cluster.SubmitAsync(Yaml);
        using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            deadline.CancelAfter(Deadline);
            while ((await cluster.StatusAsync(id)).Status.Counts.StoppedEarly == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(50), deadline.Token);
        }
        await cluster.Silos[0].KillAsync();

        var status = await cluster.EndAsync(id, Deadline);

        Assert.True(status.Status.IsComplete, TestCluster.Describe(status));
        Assert.Equal(new TrialCounts(Waiting: 0, Done: 2, StoppedEarly: 6), status.Status.Counts);
        Assert.Equal(plain, await cluster.OutputsAsync());
    }
}

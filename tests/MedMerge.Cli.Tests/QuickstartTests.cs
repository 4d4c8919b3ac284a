using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>What the quickstart's images were made to show, whatever the processor, which changes every figure a little.</summary>
public sealed class QuickstartTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-quickstart-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>With five of its seeds, the fewest that give a verdict; more make it only more certain.</summary>
    [Fact]
    public async Task Two_halves_show_transfer_and_an_unrelated_partner_shows_none()
    {
        var specification = Path.Combine(_folder, "quickstart.yaml");
        await File.WriteAllTextAsync(specification, Specifications.ReadQuickstart(seeds: 5), TestContext.Current.CancellationToken);

        var printed = await CommandProcess.RunAsync("run", specification, "--store", Path.Combine(_folder, "store"));

        var verdicts = printed.Split('\n').Where(line => line.StartsWith("Merging ", StringComparison.Ordinal)).ToList();
        verdicts.ForEach(output.WriteLine);
        Assert.Equal(2, verdicts.Count);
        Assert.StartsWith("Merging helped: ", verdicts[0], StringComparison.Ordinal);
        Assert.EndsWith("This is consistent with the partner's having learned what helps here.", verdicts[0], StringComparison.Ordinal);
        Assert.Matches("no transfer (from the partner )?is (shown|claimed)", verdicts[1]);
    }
}

using MedMerge.Cli.Commands;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>Several stages at a time are the same stages.</summary>
public sealed class LaneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-lanes-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_output_is_the_same_to_the_byte_whatever_the_number_of_lanes()
    {
        var specification = Path.Combine(_folder, "lanes.yaml");
        await File.WriteAllTextAsync(
            specification,
            new SpecificationBuilder { Methods = "[medmerge, lp-ft, scratch]", Seeds = 3 }.Yaml,
            TestContext.Current.CancellationToken);

        var one = await RunAsync(specification, 1);
        var three = await RunAsync(specification, 3);

        Assert.True(one.Count > 15, $"Only {one.Count} outputs were compared.");
        Assert.Equal(one, three);
    }

    [Fact]
    public async Task A_number_of_lanes_below_one_is_refused()
    {
        var error = new StringWriter();
        var code = await MedMergeCommand.RunAsync(["run", "missing.yaml", "--lanes", "0"], TextWriter.Null, error);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("--lanes is 0; it must be at least 1.", error.ToString(), StringComparison.Ordinal);
    }

    private async Task<SortedDictionary<string, string>> RunAsync(string specification, int lanes)
    {
        var store = Path.Combine(_folder, $"store-{lanes}");
        var error = new StringWriter();
        var code = await MedMergeCommand.RunAsync(["run", specification, "--store", store, "--lanes", $"{lanes}"], TextWriter.Null, error);
        Assert.True(code == ExitCodes.Done, error.ToString());
        return await StageOutputs.ReadAsync(new FolderObjectStore(store));
    }
}

using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary><c>medmerge data</c>: what it prints, and that a packed data set is the one that it was made of.</summary>
public sealed class DataCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-data-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_data_set_is_shown_with_a_picture()
    {
        var sheet = Path.Combine(_folder, "sheet.png");

        var (code, output, error) = await RunAsync("data", "show", "phantom:cells", "--set", "trainImages=30", "size=32", "--sheet", sheet);

        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("of 32 × 32 pixels", output, StringComparison.Ordinal);
        Assert.Contains("| all   |    30 |", output, StringComparison.Ordinal);
        Assert.Contains("Mean 0.", output, StringComparison.Ordinal);
        Assert.True(File.ReadAllBytes(sheet).AsSpan().StartsWith((byte[])[0x89, .. "PNG"u8]));
    }

    /// <summary>A run on it computes nothing that a run on the original has not computed.</summary>
    [Fact]
    public async Task A_packed_data_set_gives_the_same_stages()
    {
        var packed = Path.Combine(_folder, "lesions.packed");
        var specification = new SpecificationBuilder { Methods = "[average]" }.Yaml;
        var first = Path.Combine(_folder, "first.yaml");
        var second = Path.Combine(_folder, "second.yaml");
        File.WriteAllText(first, specification);
        File.WriteAllText(second, specification.Replace("'phantom:lesions'", $"'{packed}'", StringComparison.Ordinal));
        var store = Path.Combine(_folder, "store");

        Assert.Equal(ExitCodes.Done, (await RunAsync("data", "pack", "phantom:lesions", "--output", packed)).Code);
        var (code, output, error) = await RunAsync("run", first, "--store", store);
        Assert.True(code == ExitCodes.Done, error);
        var (again, sameOutput, progress) = await RunAsync("run", second, "--store", store);

        Assert.True(again == ExitCodes.Done, progress);
        Assert.Equal(output, sameOutput);
        Assert.DoesNotContain("trial", progress, StringComparison.Ordinal);
    }

    /// <summary>A source is trained on the data set as settings make it.</summary>
    [Fact]
    public async Task Pretraining_takes_settings_of_the_data_set()
    {
        var model = Path.Combine(_folder, "model.safetensors");
        string[] command = ["pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--width", "0.125", "--epochs", "1"];
        string[] places = ["--store", Path.Combine(_folder, "store"), "--output", model];

        var (code, output, error) = await RunAsync([.. command, "--set", "size=16", "trainImages=8", "colours=rgb", .. places]);

        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("Trained ", output, StringComparison.Ordinal);
        Assert.Matches(@"\[3, ?16, ?16\]", (await RunAsync("inspect", model)).Output);
    }

    [Theory]
    [InlineData("there is no setting 'sze'; did you mean 'size'?", "show", "phantom:cells", "--set", "sze=3")]
    [InlineData("it must be a whole number from 8 to 1024", "show", "phantom:cells", "--set", "size=3")]
    [InlineData("must end in .packed", "pack", "phantom:cells", "--output", "x.npz")]
    [InlineData("There is no data set 'missing.csv'.", "show", "missing.csv")]
    public async Task Mistakes_are_named(string message, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(["data", .. arguments]);

        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(arguments, output, error));
}

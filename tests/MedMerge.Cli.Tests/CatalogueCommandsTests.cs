using System.CommandLine;
using MedMerge.Cli.Commands;
using MedMerge.Cli.Downloads;
using MedMerge.Cli.Tests.Downloads;
using MedMerge.Data.Catalogue;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary><c>medmerge data list|get|verify</c>: what they print, and which exit codes they have.</summary>
public sealed class CatalogueCommandsTests : IDisposable
{
    private readonly DownloadFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_data_set_is_got_verified_and_listed()
    {
        await using var server = new DownloadServer(DownloadServer.Whole(_folder.Content));
        var entry = CreateEntry(server.Address);

        var (code, output, error) = await RunAsync(entry, "get", "set");
        Assert.True(code == ExitCodes.Done, error);
        Assert.Equal(
            $"""
            '{_folder.Target}' was downloaded: 300 kB, {entry.Files[0].Hash}.
                Licence: CC0. Credit: nobody.
                data: {_folder.Target}

            """.ReplaceLineEndings(),
            output);
        Assert.Equal("", error);

        (code, output, _) = await RunAsync(entry, "get", "set");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Equal($"'{_folder.Target}' is there already: 300 kB, {entry.Files[0].Hash}.{Environment.NewLine}", output);
        Assert.Single(server.Requests);

        (code, output, _) = await RunAsync(entry, "verify");
        Assert.Equal(ExitCodes.Done, code);
        Assert.StartsWith($"intact: set/set.npz{Environment.NewLine}1 file of the catalogue", output, StringComparison.Ordinal);
        Assert.Matches(@"\| set +\| +some images \| 300 kB \| +CC0 \| +28 \|", (await RunAsync(entry, "list")).Output);
    }

    [Fact]
    public async Task A_file_of_another_hash_is_an_error_until_it_is_to_be_replaced()
    {
        await using var server = new DownloadServer(DownloadServer.Whole(_folder.Content));
        var entry = CreateEntry(server.Address);
        File.WriteAllText(_folder.Target, "mine");

        var problem = await Assert.ThrowsAsync<InputException>(() => RunAsync(entry, "get", "set"));
        Assert.StartsWith(
            $"'{_folder.Target}' is another file than the catalogue's: expected {entry.Files[0].Hash}, it has MD5 ",
            problem.Message,
            StringComparison.Ordinal);
        Assert.EndsWith("--force replaces it.", problem.Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(_folder.Target));

        var (code, output, _) = await RunAsync(entry, "verify");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.StartsWith($"differs: set/set.npz: expected {entry.Files[0].Hash}, it has MD5 ", output, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Done, (await RunAsync(entry, "get", "set", "--force")).Code);
        Assert.Equal(_folder.Content, File.ReadAllBytes(_folder.Target));
    }

    [Fact]
    public async Task An_interrupted_download_says_what_is_kept()
    {
        await using var server = new DownloadServer(DownloadServer.Hold(_folder.Content, 1000, DownloadServer.Never));
        using var interrupt = new CancellationTokenSource();
        var running = RunAsync(CreateEntry(server.Address), interrupt.Token, "get", "set");
        while (!File.Exists(_folder.Partial) || new FileInfo(_folder.Partial).Length < 1000)
            await Task.Delay(1, TestContext.Current.CancellationToken);

        await interrupt.CancelAsync();
        var (code, _, error) = await running;

        Assert.Equal(ExitCodes.Interrupted, code);
        Assert.Equal(
            $"Interrupted. '{_folder.Partial}' keeps what came; the same command resumes from there.{Environment.NewLine}",
            error);
    }

    [Fact]
    public async Task Weights_come_with_what_a_specification_needs()
    {
        await using var server = new DownloadServer(DownloadServer.Whole(_folder.Content));
        var entry = CreateEntry(server.Address) with { Normalisation = "imagenet" };

        var (_, output, _) = await RunAsync(entry, "get", "set");

        Assert.Contains($"    weights: {_folder.Target}{Environment.NewLine}    normalisation: imagenet", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no 'brestmnist' in the catalogue; did you mean 'breastmnist'?", "get", "brestmnist")]
    [InlineData("There is no 'x' in the catalogue. `medmerge data list` lists what there is.", "get", "x")]
    [InlineData("--size 32: breastmnist has the sizes 28, 64, 128, 224.", "get", "breastmnist", "--size", "32")]
    [InlineData("There is no folder 'missing'.", "verify", "--folder", "missing")]
    public async Task Mistakes_are_named(string message, params string[] arguments)
    {
        var (code, _, error) = await CommandOutput.OfAsync(
            (output, errors) => MedMergeCommand.RunAsync(["data", .. arguments], output, errors));

        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    /// <summary>The real BreastMNIST is the official file; the PneumoniaMNIST beside it has its images in another order.</summary>
    [Fact]
    public async Task Real_data_are_verified()
    {
        var folder = Environment.GetEnvironmentVariable("MEDMERGE_DATA");
        if (string.IsNullOrEmpty(folder)) Assert.Skip("MEDMERGE_DATA is not set: real images are not here.");

        var (code, output, _) = await CommandOutput.OfAsync(
            (output, errors) => MedMergeCommand.RunAsync(["data", "verify", "--folder", folder], output, errors));

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("intact: breastmnist/breastmnist.npz", output, StringComparison.Ordinal);
        Assert.Contains(
            "differs: pneumoniamnist/pneumoniamnist.npz: expected MD5 28209eda62fecd6e6a2d98b1501bb15f, it has MD5 ",
            output,
            StringComparison.Ordinal);
    }

    private static CatalogueEntry CreateEntry(CatalogueFile file) => new()
    {
        Name = "set",
        Contents = "some images",
        Licence = "CC0",
        Credit = "nobody",
        Files = [file],
    };

    private CatalogueEntry CreateEntry(Uri address) => CreateEntry(_folder.Describe(address));

    private Task<(int Code, string Output, string Error)> RunAsync(CatalogueEntry entry, params string[] arguments) =>
        RunAsync(entry, TestContext.Current.CancellationToken, arguments);

    private Task<(int Code, string Output, string Error)> RunAsync(
        CatalogueEntry entry,
        CancellationToken cancellation,
        params string[] arguments) => CommandOutput.OfAsync(async (output, error) =>
        {
            var commands = new CatalogueCommands(output, error, [entry], new DownloadOptions());
            var data = new Command("data") { commands.CreateList(), commands.CreateGet(), commands.CreateVerify() };
            var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
            return await data.Parse([.. arguments, "--folder", _folder.Root]).InvokeAsync(configuration, cancellation);
        });
}

using System.Net;
using System.Text.Json;
using MedMerge.Cli;
using MedMerge.Cli.Tests;

namespace MedMerge.Gateway.Tests;

/// <summary>The command against a gateway, as its user runs it.</summary>
public sealed class CommandTests : IClassFixture<RunningGateway>, IDisposable
{
    private readonly RunningGateway _gateway;

    public CommandTests(RunningGateway gateway)
    {
        _gateway = gateway;
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", gateway.Address.ToString());
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", RunningGateway.Key);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", null);
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", null);
    }

    [Fact]
    public async Task What_is_submitted_gives_what_a_run_gives()
    {
        File.WriteAllText(In("spec.yaml"), TinySpecification.Yaml("[medmerge, fine-tune]"));
        var (ran, local, localError) = await RunAsync("run", In("spec.yaml"), "--store", In("own"), "--output", In("run"), "--json");
        Assert.True(ran == ExitCodes.Done, localError);

        var (submitted, id, submitError) = await RunAsync("submit", In("spec.yaml"), "--watch");
        Assert.True(submitted == ExitCodes.Done, submitError);
        Assert.Contains("Done, 3 of 3 trials have a result.", submitError, StringComparison.Ordinal);

        var (_, report, _) = await RunAsync("report", id.Trim(), "--json");
        Assert.Equal(local, report);

        var (_, table, written) = await RunAsync("report", id.Trim(), "--output", In("report"));
        Assert.Contains("Results, models, kernel weights and certificates are in", written, StringComparison.Ordinal);
        var files = Directory.GetFiles(In("run"), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(In("run"), file)).ToList();
        Assert.Contains(Path.Combine("medmerge", "seed-0", "model.safetensors"), files);
        Assert.Equal(files.Order(), Directory.GetFiles(In("report"), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(In("report"), file)).Order());
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(Path.Combine(In("run"), file)), File.ReadAllBytes(Path.Combine(In("report"), file))));
        Assert.Equal(HttpStatusCode.NotFound, (await _gateway.Client.GetAsync($"/api/v1/sweeps/{id.Trim()}/models/medmerge/seed-0/..%2F..%2Fresults.json", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Contains("| medmerge", table, StringComparison.Ordinal);
        Assert.StartsWith("trial,method", await _gateway.Client.GetStringAsync($"/api/v1/sweeps/{id.Trim()}/results?format=csv", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await _gateway.Client.GetAsync($"/api/v1/sweeps/{id.Trim()}/results?format=pdf", TestContext.Current.CancellationToken)).StatusCode);

        var (_, list, _) = await RunAsync("list");
        Assert.Matches($@"{id.Trim()} \| +tiny \| +Done \| +3/3", list);
        var (_, shown, _) = await RunAsync("show", id.Trim(), "--json");
        using var status = JsonDocument.Parse(shown);
        Assert.Equal("Done", status.RootElement.GetProperty("state").GetString());

        // Again it is the same sweep, which has ended.
        var (again, sameId, _) = await RunAsync("submit", In("spec.yaml"), "--watch");
        Assert.Equal((ExitCodes.Done, id), (again, sameId));
    }

    [Fact]
    public async Task Files_are_sent_once_and_by_their_content()
    {
        var (made, _, madeError) = await RunAsync("pretrain", "--data", "phantom:cells", "--architecture", "resnet20", "--width", "0.125", "--epochs", "1", "--threads", "1",
            "--store", In("own"), "--output", In("cells.safetensors"));
        Assert.True(made == ExitCodes.Done, madeError);
        File.WriteAllText(In("file.yaml"), TinySpecification.Yaml("[average]").Replace("pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }", "weights: cells.safetensors", StringComparison.Ordinal));

        var (first, id, firstError) = await RunAsync("submit", In("file.yaml"), "--watch");
        Assert.True(first == ExitCodes.Done, firstError);
        Assert.Contains("Uploading 'cells.safetensors'", firstError, StringComparison.Ordinal);
        var (second, _, secondError) = await RunAsync("submit", In("file.yaml"));
        Assert.True(second == ExitCodes.Done, secondError);
        Assert.DoesNotContain("Uploading", secondError, StringComparison.Ordinal);
        Assert.Contains("(cells.safetensors)", (await RunAsync("report", id.Trim())).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_is_paused_resumed_and_cancelled()
    {
        File.WriteAllText(In("long.yaml"), TinySpecification.Yaml("[medmerge]", epochs: 2000));
        var (submitted, output, error) = await RunAsync("submit", In("long.yaml"));
        Assert.True(submitted == ExitCodes.Done, error);
        var id = output.Trim();
        Assert.Equal(ExitCodes.Failed, (await RunAsync("report", id)).Code); // no result yet
        Assert.Contains("Paused", (await RunAsync("pause", id)).Error, StringComparison.Ordinal);
        Assert.Contains("Running", (await RunAsync("resume", id)).Error, StringComparison.Ordinal);
        Assert.Contains("Cancelled", (await RunAsync("cancel", id)).Error, StringComparison.Ordinal);
        var (watched, _, watchError) = await RunAsync("watch", id);
        Assert.Equal(ExitCodes.Failed, watched);
        Assert.Contains("Cancelled", watchError, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Done, (await RunAsync("submit", In("long.yaml"))).Code);
        Assert.Contains("Running", (await RunAsync("show", id)).Output, StringComparison.Ordinal);
        await RunAsync("cancel", id);
    }

    [Fact]
    public async Task Watching_outlives_the_gateway()
    {
        File.WriteAllText(In("watched.yaml"), TinySpecification.Yaml("[medmerge]", epochs: 3000));
        var id = (await RunAsync("submit", In("watched.yaml"))).Output.Trim();
        var error = new StringWriter();
        var watching = MedMergeCommand.RunAsync(["watch", id], TextWriter.Null, TextWriter.Synchronized(error));
        while (!error.ToString().Contains("trial 1/1", StringComparison.Ordinal)) await Task.Delay(50, TestContext.Current.CancellationToken);
        await _gateway.RestartAsync();
        await RunAsync("cancel", id);
        Assert.Equal(ExitCodes.Failed, await watching.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Contains("connecting again", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Cancelled", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCodes.BadInput, "There is no sweep 'nothing'", "show", "nothing")]
    [InlineData(ExitCodes.BadInput, "There is no sweep", "cancel", "../x")]
    [InlineData(ExitCodes.BadInput, "There is no sweep", "watch", "%2e%2e")]
    [InlineData(ExitCodes.BadInput, "There is no specification", "submit", "missing.yaml")]
    [InlineData(ExitCodes.BadInput, "must look like http", "list", "--gateway", "nowhere")]
    [InlineData(ExitCodes.Failed, "can't be reached", "list", "--gateway", "http://127.0.0.1:9")]
    [InlineData(ExitCodes.Failed, "can't be reached", "watch", "x", "--gateway", "http://127.0.0.1:9")]
    public async Task Trouble_is_one_clear_message(int expected, string message, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(expected, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    public async Task A_key_is_asked_for(string? key)
    {
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", key);
        var (code, _, error) = await RunAsync("list");
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("Set MEDMERGE_API_KEY", error, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_gateway.Folder, name);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await MedMergeCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}

using System.Text.Json;
using MedMerge.Cli;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Experiments.Stages;
using MedMerge.Statistics;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary><c>medmerge benchmark</c> against a gateway, as a user runs it.</summary>
[Collection(CommandTests.Variables)]
public sealed class BenchmarkCommandTests : IClassFixture<RunningGateway>, IDisposable
{
    private const string First = "20260504t020000z";
    private const string Second = "20260505t020000z";
    private const string Third = "20260506t020000z-now";
    private readonly RunningGateway _gateway;

    public BenchmarkCommandTests(RunningGateway gateway)
    {
        _gateway = gateway;
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", gateway.Address.ToString());
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", RunningGateway.Key);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FolderObjectStore Store => new(Path.Combine(_gateway.Folder, "store"));

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", null);
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", null);
    }

    [Fact]
    public async Task A_flagged_run_gives_exit_code_3_until_it_is_accepted()
    {
        await AddAsync("one", First, right: 90);
        Assert.Equal(ExitCodes.Done, (await RunAsync("check", "one")).Code);
        var finding = new BenchmarkFinding(FindingKind.Score, "medmerge is worse.");
        await AddAsync("one", Second, right: 60, verdict: new(First, false, [], [], [], [finding]));

        var (code, output, error) = await RunAsync("check", "one");
        Assert.Equal(ExitCodes.Regression, code);
        Assert.Equal($"one: {Second} flagged, compared with {First}\n  medmerge is worse.", output.Trim());
        Assert.Equal($"one: {Second} is flagged; `medmerge benchmark accept one` accepts it.", error.Trim());
        Assert.Equal(ExitCodes.Done, (await RunAsync("check", "one", First)).Code);
        Assert.Equal(ExitCodes.Regression, (await RunAsync("check", "one", $"one-{Second}")).Code);
        using var json = JsonDocument.Parse((await RunAsync("check", "one", "--json")).Output);
        Assert.Equal("Flagged", json.RootElement.GetProperty("state").GetString());
        Assert.Matches($@"one +\| +breast +\| +2 +\| +{Second} +\| +flagged", (await RunAsync("list")).Output);

        Assert.Equal($"one: {Second} is accepted.", (await RunAsync("accept", "one")).Error.Trim());
        Assert.Equal(ExitCodes.Done, (await RunAsync("check", "one")).Code);
        Assert.Matches($@"{Second} +\| +accepted", (await RunAsync("list")).Output);
    }

    [Fact]
    public async Task Runs_are_shown_side_by_side_and_compared()
    {
        await AddAsync("two", First, right: 90);
        await AddAsync("two", Second, right: 90, verdict: new(First, IsUnchanged: true, [], [], [], []));
        await AddAsync("two", Third, right: 60, rate: "0.03", seconds: 20);

        var shown = (await RunAsync("show", "two")).Output;
        Assert.Contains("two (breast): 3 runs, the last one passed", shown, StringComparison.Ordinal);
        Assert.Contains("breast: accuracy × 100, mean over seeds with 95 % interval", shown, StringComparison.Ordinal);
        Assert.Matches($@"method +\| +{First} +\| +{Second} +\| +{Third}", shown);
        Assert.Matches(@"medmerge +\| +90.0 .* +\| +90.0 .* +\| +60.0", shown);
        Assert.Matches(@"fine-tune +\| +40.0 s \(4 of 4\) +\| +40.0 s \(4 of 4\) +\| +80.0 s \(4 of 4\)", shown);
        Assert.DoesNotContain(First, (await RunAsync("show", "two", "--runs", "1")).Output, StringComparison.Ordinal);

        var diff = (await RunAsync("diff", "two")).Output;
        Assert.StartsWith($"{Third} compared with {Second}", diff, StringComparison.Ordinal);
        Assert.Matches(@"fineTune.learningRate +\| +0.001 +\| +0.03", diff);
        Assert.Matches(@"breast +\| +medmerge +\| +accuracy +\| +4 +\| +−30.0", diff);
        Assert.Matches(@"fine-tune +\| +4 +\| +40.0 s +\| +80.0 s +\| +2.00 \(2.00 to 2.00\)", diff);
        Assert.Contains("'fine-tune' takes 2.00 times as long", diff, StringComparison.Ordinal);
        Assert.Contains("medmerge on breast: accuracy −30.0 points", diff, StringComparison.Ordinal);
        var same = (await RunAsync("diff", "two", First, Second)).Output;
        Assert.StartsWith($"{Second} compared with {First}: unchanged\n", same, StringComparison.Ordinal);
        Assert.EndsWith("No regression.\n", same, StringComparison.Ordinal);
        using var json = JsonDocument.Parse((await RunAsync("diff", "two", "--json")).Output);
        Assert.Equal(2, json.RootElement.GetProperty("verdict").GetProperty("findings").GetArrayLength());
    }

    [Fact]
    public async Task Another_share_judges_the_times_again()
    {
        var slower = new StageChange("fine-tune", 4, 40, 60, new Interval(1.5, 1.4, 1.6));
        var finding = new BenchmarkFinding(FindingKind.Time, "slower");
        await AddAsync("three", First, right: 90);
        await AddAsync("three", Second, right: 90, verdict: new(First, false, [], [slower], [], [finding]));

        Assert.Equal(ExitCodes.Regression, (await RunAsync("check", "three")).Code);
        Assert.Equal(ExitCodes.Done, (await RunAsync("check", "three", "--slower", "0.5")).Code);
        Assert.Contains("1.10 is allowed", (await RunAsync("check", "three", "--slower", "0.1")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no such run of a benchmark 'none'", "show", "none")]
    [InlineData("There is no such run of a benchmark 'none'", "diff", "none")]
    [InlineData("The benchmark 'none' has no run", "check", "none")]
    [InlineData("There is no such run of a benchmark 'none'", "accept", "none")]
    [InlineData("There is no such run of a benchmark", "show", "../runs")]
    [InlineData("No run of the benchmark 'four' before", "diff", "four")]
    [InlineData("There is no such run of a benchmark 'four'", "diff", "four", "../x", First)]
    [InlineData("slower is -1", "check", "four", "--slower", "-1")]
    [InlineData("runs is 0", "show", "four", "--runs", "0")]
    public async Task A_failure_is_one_clear_line(string message, params string[] arguments)
    {
        await AddAsync("four", First, right: 90);
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    /// <summary>Adds a run of four seeds.</summary>
    /// <param name="right">How many of 100 test images each model gets right.</param>
    private async Task AddAsync(
        string benchmark,
        string id,
        int right,
        string rate = "0.001",
        double seconds = 10,
        BenchmarkVerdict? verdict = null)
    {
        var artefacts = new ArtefactStore(Store);
        var predictions = await artefacts.WriteAsync(StageFiles.Write(Answer(right)), Cancellation);
        var timing = new StageTiming(seconds, IsResumed: false, "a processor");
        var stages = Enumerable.Range(0, 4).Select(place => new BenchmarkStage($"{place}", "fine-tune", $"{id} {place}", 1, timing));
        var list = await artefacts.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(stages), Cancellation);
        var trials = Enumerable.Range(0, 4).Select(seed => new BenchmarkTrial((ulong)seed, predictions, right / 100.0)).ToList();
        var row = new BenchmarkRow("medmerge", 4, Interval.OfMean([.. trials.Select(trial => trial.Score)]), trials);
        var settings = new Dictionary<string, string> { ["fineTune.learningRate"] = rate };
        var sources = new Dictionary<string, string>();
        var scenario = new BenchmarkScenario("breast", "Breast", "hash", Metric.Accuracy, sources, settings, [row]);
        var run = new BenchmarkRun(
            benchmark,
            id,
            $"{benchmark}-{id}",
            "breast",
            new BenchmarkCode("1", "build", new Dictionary<string, string>()),
            "spec",
            $"plan {right}",
            [scenario],
            list,
            [new BenchmarkStageKind("fine-tune", 4, 4, 4 * seconds)],
            Failure: null,
            verdict ?? new BenchmarkVerdict(null, false, [], [], [], []));
        await new BenchmarkStore(Store).TryCreateAsync(run, Cancellation);
    }

    private static HeldOutPredictions Answer(int right)
    {
        var labels = Enumerable.Range(0, 100).Select(image => image % 2).ToArray();
        var probabilities = labels.SelectMany((label, image) =>
            (label == 0) == (image < right) ? new[] { 0.75, 0.25 } : [0.25, 0.75]);
        var predictions = new Predictions(Classes: 2, [.. probabilities], labels);
        return new HeldOutPredictions(predictions, predictions);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(["benchmark", .. arguments], output, error));
}

using System.Text.Json;
using MedMerge.Cli;
using MedMerge.Grains.Schedules;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.Gateway.Tests;

/// <summary><c>medmerge schedule</c> against a gateway, as a user runs it.</summary>
[Collection(CommandTests.Variables)]
public sealed class ScheduleCommandTests : IClassFixture<RunningGateway>, IDisposable
{
    private readonly RunningGateway _gateway;

    public ScheduleCommandTests(RunningGateway gateway)
    {
        _gateway = gateway;
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", gateway.Address.ToString());
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", RunningGateway.Key);
        File.WriteAllText(SpecificationFile, new SpecificationBuilder { Methods = "[average]" }.Yaml);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string SpecificationFile => Path.Combine(_gateway.Folder, "schedule.yaml");

    private FolderObjectStore Store => new(Path.Combine(_gateway.Folder, "store"));

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", null);
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", null);
    }

    [Fact]
    public async Task A_schedule_is_added_shown_paused_resumed_run_and_removed()
    {
        var (added, _, message) = await RunAsync("add", "weekly", SpecificationFile, "--cron", "30 2 * * 1", "--zone", "Europe/Berlin");
        Assert.True(added == ExitCodes.Done, message);
        Assert.Matches(@"^weekly: next \d{4}-\d\d-\d\d 02:30 \+0[12]:00\.$", WithoutNotes(message).Trim());
        var list = (await RunAsync("list")).Output;
        Assert.Matches(@"weekly +\| +tiny +\| +30 2 \* \* 1 \| +Europe/Berlin +\| +\d{4}-\d\d-\d\d 02:30 \+0[12]:00 +\| +-", list);

        var shown = (await RunAsync("show", "weekly")).Output;
        Assert.StartsWith("weekly (tiny): '30 2 * * 1' in Europe/Berlin, missed: latest, overlap: skip\n", shown, StringComparison.Ordinal);
        Assert.Equal(5, shown.Split('\n').Count(line => line.Contains(" 02:30 ", StringComparison.Ordinal)));
        using var json = JsonDocument.Parse((await RunAsync("show", "weekly", "--json")).Output);
        Assert.Equal(5, json.RootElement.GetProperty("nextTimes").GetArrayLength());

        Assert.Equal("weekly: paused.", (await RunAsync("pause", "weekly")).Error.Trim());
        Assert.Matches(@"\| +paused +\|", (await RunAsync("list")).Output);
        Assert.Contains(", paused\n", (await RunAsync("show", "weekly")).Output, StringComparison.Ordinal);
        Assert.StartsWith("weekly: next ", (await RunAsync("resume", "weekly")).Error, StringComparison.Ordinal);

        var running = RunAsync("run-now", "weekly");
        while (!running.IsCompleted) await RunNodeAsync("weekly");
        var (code, output, error) = await running;
        Assert.Equal((ExitCodes.Done, ""), (code, error));
        var sweep = output.Trim();
        Assert.Matches(@"^weekly-\d{8}t\d{6}z-now$", sweep);
        Assert.Matches($@"Fired +\| +{sweep}", (await RunAsync("show", "weekly")).Output);

        Assert.Equal("weekly: removed.", (await RunAsync("remove", "weekly")).Error.Trim());
        Assert.DoesNotContain("weekly", (await RunAsync("list")).Output, StringComparison.Ordinal);
        await AssertRunsAsync(sweep);
    }

    [Fact]
    public async Task Runs_of_a_schedule_that_recomputes_share_no_stage_and_have_the_same_bytes()
    {
        await RunAsync("add", "again", SpecificationFile, "--cron", "0 2 * * *", "--zone", "UTC", "--recompute");
        var shown = (await RunAsync("show", "again")).Output;
        Assert.Contains(", overlap: skip, computes everything again\n", shown, StringComparison.Ordinal);

        var runs = new List<(HashSet<string> Stages, List<string> Predictions)>();
        for (var i = 0; i < 2; i++)
        {
            var before = (await StageOutputs.ReadAsync(Store)).Keys;
            var running = RunAsync("run-now", "again");
            while (!running.IsCompleted) await RunNodeAsync("again");
            var (code, sweep, error) = await running;
            Assert.True(code == ExitCodes.Done, error);
            await AssertRunsAsync(sweep.Trim());
            var made = (await StageOutputs.ReadAsync(Store)).Where(stage => !before.Contains(stage.Key)).ToList();
            runs.Add(([.. made.Select(stage => stage.Key)], [.. made.Select(stage => stage.Value).Order()]));
        }

        var record = (await new SweepStore(Store).ListScheduledAsync("again", Cancellation)).Count;
        Assert.Equal(2, record);
        Assert.NotEmpty(runs[0].Stages);
        Assert.Equal(runs[0].Stages.Count, runs[1].Stages.Count);
        Assert.Equal(runs[0].Predictions, runs[1].Predictions);
    }

    [Theory]
    [InlineData(ExitCodes.BadInput, "The minute '60'", "add", "a", "SPEC", "--cron", "60 2 * * *", "--zone", "UTC")]
    [InlineData(ExitCodes.BadInput, "must have five fields", "add", "a", "SPEC", "--cron", "daily", "--zone", "UTC")]
    [InlineData(ExitCodes.BadInput, "never comes due", "add", "a", "SPEC", "--cron", "0 0 30 2 *", "--zone", "UTC")]
    [InlineData(ExitCodes.BadInput, "no time zone 'Mars'", "add", "a", "SPEC", "--cron", "0 2 * * *", "--zone", "Mars")]
    [InlineData(ExitCodes.BadInput, "can't be a schedule's name", "add", "../a", "SPEC", "--cron", "0 2 * * *", "--zone", "UTC")]
    [InlineData(ExitCodes.BadInput, "There is no specification", "add", "a", "missing.yaml", "--cron", "0 2 * * *", "--zone", "UTC")]
    [InlineData(ExitCodes.Failed, "There is a schedule 'taken' already", "add", "taken", "SPEC", "--cron", "0 2 * * *", "--zone", "UTC")]
    [InlineData(ExitCodes.BadInput, "There is no schedule 'none'", "show", "none")]
    [InlineData(ExitCodes.BadInput, "There is no schedule 'none'", "pause", "none")]
    [InlineData(ExitCodes.BadInput, "There is no schedule 'none'", "resume", "none")]
    [InlineData(ExitCodes.BadInput, "There is no schedule 'none'", "run-now", "none")]
    [InlineData(ExitCodes.BadInput, "There is no schedule 'none'", "remove", "none")]
    [InlineData(ExitCodes.BadInput, "There is no schedule", "remove", "../artefacts")]
    public async Task A_failure_is_one_clear_line(int expected, string message, params string[] arguments)
    {
        await new ScheduleStore(Store).TryCreateAsync(Schedules.Create(DateTimeOffset.UtcNow, "taken"), Cancellation);
        var (code, _, error) = await RunAsync([.. arguments.Select(argument => argument == "SPEC" ? SpecificationFile : argument)]);
        Assert.Equal(expected, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(WithoutNotes(error).TrimEnd().Split('\n'));
    }

    private static string WithoutNotes(string error) =>
        string.Join('\n', error.Split('\n').Where(line => !line.StartsWith("note: ", StringComparison.Ordinal)));

    /// <summary>A node's work, as often as wished.</summary>
    private async Task RunNodeAsync(string schedule)
    {
        var artefacts = new ArtefactStore(Store);
        var runner = new ScheduleRunner(
            new ScheduleStore(Store),
            new SweepStore(Store),
            new SchedulePlans(new PlanCache(artefacts), artefacts),
            TimeProvider.System,
            NullLogger<ScheduleRunner>.Instance);
        await runner.RunAsync(schedule, Cancellation);
        await Task.Yield();
    }

    /// <summary>The cluster of this test does not wake sweeps by itself.</summary>
    private async Task AssertRunsAsync(string sweep)
    {
        using var resumed = await _gateway.Client.PostAsync($"/api/v1/sweeps/{sweep}/resume", null, Cancellation);
        resumed.EnsureSuccessStatusCode();
        var (code, _, error) = await RunAsync(["watch", sweep], isSchedule: false);
        Assert.True(code == ExitCodes.Done, error);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunAsync(arguments, isSchedule: true);

    private static Task<(int Code, string Output, string Error)> RunAsync(string[] arguments, bool isSchedule) =>
        CommandOutput.OfAsync((output, error) =>
            MedMergeCommand.RunAsync(isSchedule ? ["schedule", .. arguments] : arguments, output, error));
}

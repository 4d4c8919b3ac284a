using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MedMerge.Grains;
using MedMerge.Reporting;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge list|show|pause|resume|cancel|report</c>: monitors and controls the sweeps of a gateway.</summary>
internal static class SweepCommands
{
    public static IEnumerable<Command> Create(TextWriter output, TextWriter error) =>
    [
        CreateList(output),
        CreateShow(output),
        CreateControl("pause", "Pauses a sweep until it is resumed; finished epochs are kept.", error),
        CreateControl("resume", "Resumes a paused or cancelled sweep; failed trials run again.", error),
        CreateControl("cancel", "Cancels a sweep; results so far are kept.", error),
        CreateReport(output, error),
        .. SteeringCommands.Create(error),
    ];

    private static Command CreateList(TextWriter output)
    {
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var limit = new Option<int>("--limit")
        {
            Description = "How many at most.",
            HelpName = "N",
            DefaultValueFactory = _ => 100,
        };
        var command = new Command("list", "Lists sweeps, newest first.") { limit, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var sweeps = await client.ListAsync(parsed.GetValue(limit), cancellation);
            if (parsed.GetValue(json)) await output.WriteLineAsync(JsonSerializer.Serialize(sweeps, GatewayClient.Json));
            else if (Terminal.Open(output) is { } terminal) terminal.Write(SweepPicture.Draw(sweeps));
            else await output.WriteLineAsync(RenderSweeps(sweeps));
        });
        return command;
    }

    private static Command CreateShow(TextWriter output)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var state = new Option<WorkState?>("--state")
        {
            Description = "Show only trials in this state: waiting, running, done, stoppedEarly, failed, cancelled or quarantined.",
            HelpName = "STATE",
        };
        var command = new Command("show", "Shows a sweep's counts and trials.") { id, state, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.GetStatusAsync(parsed.GetValue(id)!, cancellation);
            var trials = new List<TrialSummary>();
            await foreach (var trial in client.GetTrialsAsync(status.Id, parsed.GetValue(state), cancellation)) trials.Add(trial);
            if (parsed.GetValue(json)) await output.WriteLineAsync(ToJson(status, trials));
            else if (Terminal.Open(output) is { } terminal) terminal.Write(SweepPicture.Draw(status, trials));
            else await output.WriteLineAsync(RenderTrials(status, trials));
        });
        return command;
    }

    private static Command CreateControl(string verb, string description, TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var command = new Command(verb, description) { id, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.ControlAsync(parsed.GetValue(id)!, verb, cancellation);
            await error.WriteLineAsync($"{status.Id}: {status.State}.");
        });
        return command;
    }

    private static Command CreateReport(TextWriter output, TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var folder = CommonOptions.Output();
        var export = CommonOptions.Export();
        var command = new Command("report", "Prints the comparison of the trials that have a result.")
        {
            id,
            gateway,
            folder,
            export,
            json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(folder);
            var methods = CommonOptions.ReadExport(parsed.GetValue(export));
            var outputFolder = path is null ? null : new OutputFolder(path);
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.GetStatusAsync(parsed.GetValue(id)!, cancellation);
            var scenarios = await client.ListScenariosAsync(status.Id, cancellation);
            if (scenarios.Count == 0) throw new GatewayException($"No trial of '{status.Id}' has a result yet.");
            outputFolder?.CheckModelFolders(scenarios, [], methods);
            if (!status.IsComplete) await error.WriteLineAsync(DescribeMissingTrials(status));
            if (outputFolder is not null)
            {
                await WriteAsync(client, status.Id, scenarios, outputFolder, methods, cancellation);
                await error.WriteLineAsync(CommonOptions.DescribeOutput(path!));
            }
            var format = parsed.GetValue(json) ? "json" : "md";
            var report = await client.GetResultsAsync(status.Id, scenario: null, format, cancellation);
            await output.WriteAsync(Encoding.UTF8.GetString(report));
        });
        return command;
    }

    private static string DescribeMissingTrials(SweepStatus status) =>
        $"note: {TrialCountsText.Describe(status.Counts)}; the sweep is {status.State}. The report covers only what has a result.";

    private static async Task WriteAsync(
        GatewayClient client,
        string id,
        List<ScenarioFolder> scenarios,
        OutputFolder folder,
        IReadOnlyList<string> methods,
        CancellationToken cancellation)
    {
        var models = (await client.ListModelsAsync(id, cancellation)).Where(name => OutputFiles.IsOf(name, methods));
        await folder.WriteRunAsync(
            scenarios,
            async (scenario, file) =>
                Encoding.UTF8.GetString(await client.GetResultsAsync(id, scenario.Name, file.Format, cancellation)),
            file => client.GetResultsAsync(id, scenario: null, file.Format, cancellation),
            models,
            name => client.GetModelAsync(id, name, cancellation),
            cancellation);
    }

    private static string RenderSweeps(IEnumerable<SweepSummary> sweeps) => TextTable.Render(
    [
        ["id", "name", "state", "trials done", "submitted"],
        .. sweeps.Select(sweep => (string[])
        [
            sweep.Id,
            sweep.Name,
            $"{sweep.State}",
            $"{sweep.Counts.Done}/{sweep.Counts.Total}",
            sweep.Submitted.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        ]),
    ]).TrimEnd();

    private static string ToJson(SweepStatus status, IReadOnlyList<TrialSummary> trials)
    {
        var json = JsonSerializer.SerializeToNode(status, GatewayClient.Json)!.AsObject();
        json["trials"] = JsonSerializer.SerializeToNode(trials, GatewayClient.Json);
        return json.ToJsonString(GatewayClient.Json);
    }

    private static string RenderTrials(SweepStatus status, IEnumerable<TrialSummary> trials)
    {
        var counts = TrialCountsText.Describe(status.Counts);
        var heading = string.Create(
            CultureInfo.InvariantCulture,
            $"{status.Name} ({status.Id}): {status.State}, {100 * status.CompletedFraction:0} %, {counts}");
        var reason = status.Reason is null ? "" : $"\n{status.Reason}";
        var table = TextTable.Render(
        [
            ["trial", "method", "seed", "state", "attempt", "stage"],
            .. trials.Select(trial => (string[])
            [
                $"{trial.Number}",
                trial.Title,
                $"{trial.Seed}",
                $"{trial.State}",
                $"{trial.Attempt}",
                DescribeProgress(trial),
            ]),
        ]).TrimEnd();
        return $"{heading}{reason}{DescribeUsers(status)}\n\n{table}";
    }

    /// <summary>Who submitted the sweep and who has changed it since, a line each.</summary>
    private static string DescribeUsers(SweepStatus status)
    {
        var submitter = status.Submitter is null ? "" : $"\nSubmitted by {status.Submitter}.";
        var steering = (status.Steering ?? []).Select(step => string.Create(
            CultureInfo.InvariantCulture,
            $"\n{step.When.UtcDateTime:yyyy-MM-dd HH:mm} {step.User}: {step.Action}"));
        return submitter + string.Concat(steering);
    }

    private static string DescribeProgress(TrialSummary trial)
    {
        if (trial.Progress is { } progress) return ProgressLine.Describe(progress);
        return trial.Reason?.Split('\n')[0] ?? "";
    }
}

using System.CommandLine;
using System.Globalization;
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
    ];

    private static Command CreateList(TextWriter output)
    {
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("list", "Lists all sweeps, newest first.") { gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var sweeps = await client.ListAsync(cancellation);
            var text = parsed.GetValue(json) ? JsonSerializer.Serialize(sweeps, GatewayClient.Json) : RenderSweeps(sweeps);
            await output.WriteLineAsync(text);
        });
        return command;
    }

    private static Command CreateShow(TextWriter output)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("show", "Shows a sweep's trials.") { id, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.GetStatusAsync(parsed.GetValue(id)!, cancellation);
            var text = parsed.GetValue(json) ? JsonSerializer.Serialize(status, GatewayClient.Json) : RenderTrials(status);
            await output.WriteLineAsync(text);
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
        var command = new Command("report", "Prints the comparison of the trials that have a result.") { id, gateway, folder, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(folder);
            var outputFolder = path is null ? null : new OutputFolder(path);
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.GetStatusAsync(parsed.GetValue(id)!, cancellation);
            var scenarios = await client.ListScenariosAsync(status.Id, cancellation);
            if (scenarios.Count == 0) throw new GatewayException($"No trial of '{status.Id}' has a result yet.");
            outputFolder?.CheckModelFolders(scenarios, []);
            if (status.Done < status.Trials.Count) await error.WriteLineAsync(DescribeMissingTrials(status));
            if (outputFolder is not null)
            {
                await WriteAsync(client, status.Id, scenarios, outputFolder, cancellation);
                await error.WriteLineAsync(CommonOptions.DescribeOutput(path!));
            }
            var format = parsed.GetValue(json) ? "json" : "md";
            foreach (var scenario in scenarios)
                await output.WriteAsync(await client.GetResultsAsync(status.Id, scenario.Name, format, cancellation));
        });
        return command;
    }

    private static string DescribeMissingTrials(SweepStatus status) =>
        $"note: {status.Done} of {status.Trials.Count} trials have a result; the sweep is {status.State}. The report covers only those.";

    private static async Task WriteAsync(
        GatewayClient client,
        string id,
        List<ScenarioFolder> scenarios,
        OutputFolder folder,
        CancellationToken cancellation)
    {
        var models = await client.ListModelsAsync(id, cancellation);
        await folder.WriteRunAsync(
            scenarios,
            (scenario, file) => client.GetResultsAsync(id, scenario.Name, file.Format, cancellation),
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
            $"{sweep.Done}/{sweep.Trials}",
            sweep.Submitted.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        ]),
    ]).TrimEnd();

    private static string RenderTrials(SweepStatus status)
    {
        var heading = string.Create(
            CultureInfo.InvariantCulture,
            $"{status.Name} ({status.Id}): {status.State}, {100 * status.CompletedFraction:0} %");
        var reason = status.Reason is null ? "" : $"\n{status.Reason}";
        var table = TextTable.Render(
        [
            ["trial", "method", "seed", "state", "attempt", "stage"],
            .. status.Trials.Select(trial => (string[])
            [
                $"{trial.Number}",
                trial.Title,
                $"{trial.Seed}",
                $"{trial.State}",
                $"{trial.Attempt}",
                DescribeProgress(trial),
            ]),
        ]).TrimEnd();
        return $"{heading}{reason}\n\n{table}";
    }

    private static string DescribeProgress(TrialSummary trial)
    {
        if (trial.Progress is { } progress) return ProgressLine.Describe(progress);
        return trial.Reason?.Split('\n')[0] ?? "";
    }
}

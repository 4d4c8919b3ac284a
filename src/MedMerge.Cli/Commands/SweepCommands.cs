using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MedMerge.Grains;
using MedMerge.Reporting;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge list|show|pause|resume|cancel|report</c>: the sweeps of a gateway.</summary>
internal static class SweepCommands
{
    public static IEnumerable<Command> Create(TextWriter output, TextWriter error) =>
    [
        List(output),
        Show(output),
        Steer("pause", "Stops a sweep until it is resumed; finished epochs are kept.", error),
        Steer("resume", "Goes on with a sweep after a pause or a cancel; failed trials are tried again.", error),
        Steer("cancel", "Ends a sweep. Results so far are kept.", error),
        Report(output, error),
    ];

    private static Command List(TextWriter output)
    {
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("list", "Lists all sweeps, the newest first.") { gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var sweeps = await client.ListAsync(cancellation);
            await output.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(sweeps, GatewayClient.Json) : Table(sweeps));
        });
        return command;
    }

    private static Command Show(TextWriter output)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("show", "Shows a sweep's trials.") { id, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.StatusAsync(parsed.GetValue(id)!, cancellation);
            await output.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(status, GatewayClient.Json) : Table(status));
        });
        return command;
    }

    private static Command Steer(string verb, string description, TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var command = new Command(verb, description) { id, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.SteerAsync(parsed.GetValue(id)!, verb, cancellation);
            await error.WriteLineAsync($"{status.Id}: {status.State}.");
        });
        return command;
    }

    private static Command Report(TextWriter text, TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var output = CommonOptions.Output();
        var command = new Command("report", "Prints the comparison over the trials that have a result.") { id, gateway, output, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(output);
            var folder = path is null ? null : new OutputFolder(path);
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.StatusAsync(parsed.GetValue(id)!, cancellation);
            var scenarios = await client.ScenariosAsync(status.Id, cancellation);
            if (scenarios.Count == 0) throw new GatewayException($"No trial of '{status.Id}' has a result yet.");
            folder?.CheckModelPlaces(scenarios, []);
            if (status.Done < status.Trials.Count)
            {
                await error.WriteLineAsync(
                    $"note: {status.Done} of {status.Trials.Count} trials have a result; the sweep is {status.State}. The report covers those alone.");
            }
            if (folder is not null)
            {
                await WriteAsync(client, status.Id, scenarios, folder, cancellation);
                await error.WriteLineAsync(CommonOptions.Written(path!));
            }
            var format = parsed.GetValue(json) ? "json" : "md";
            foreach (var scenario in scenarios) await text.WriteAsync(await client.ResultsAsync(status.Id, scenario.Name, format, cancellation));
        });
        return command;
    }

    private static async Task WriteAsync(
        GatewayClient client, string id, List<ScenarioFolder> scenarios, OutputFolder folder, CancellationToken cancellation)
    {
        var models = await client.ModelsAsync(id, cancellation);
        await folder.WriteRunAsync(
            scenarios,
            (scenario, file) => client.ResultsAsync(id, scenario.Name, file.Format, cancellation),
            models,
            name => client.ModelAsync(id, name, cancellation),
            cancellation);
    }

    private static string Table(IEnumerable<SweepSummary> sweeps) => TextTable.Render(
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

    private static string Table(SweepStatus status)
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
                trial.Method,
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
        if (trial.Progress is { } progress) return ProgressLine.Text(progress);
        return trial.Reason?.Split('\n')[0] ?? "";
    }
}

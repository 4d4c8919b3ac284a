using System.CommandLine;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge watch ID</c>: shows the progress of a sweep until it ends.</summary>
internal static class WatchCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var json = new Option<bool>("--json")
        {
            Description = "Print every status as a line of JSON, the last one when the sweep has ended.",
        };
        var command = new Command(
            "watch",
            "Shows a sweep's progress until it ends; exit code 1 if a trial failed or the sweep was cancelled. " +
            "Ctrl-C stops only the watching.")
        {
            id,
            gateway,
            json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var watch = new SweepWatch(client, error, parsed.GetValue(json) ? output : null);
            return await watch.RunAsync(parsed.GetValue(id)!, cancellation);
        });
        return command;
    }
}

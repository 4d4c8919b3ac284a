using System.CommandLine;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge watch ID</c>: shows the progress of a sweep until it ends.</summary>
internal static class WatchCommand
{
    public static Command Create(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var command = new Command(
            "watch",
            "Shows a sweep's progress until it ends; exit code 1 if a trial failed or the sweep was cancelled. " +
            "Ctrl-C stops only the watching.")
        {
            id,
            gateway,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            return await new SweepWatch(client, error).RunAsync(parsed.GetValue(id)!, cancellation);
        });
        return command;
    }
}

using System.CommandLine;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge watch ID</c>: how a sweep goes on, until it has ended.</summary>
internal static class WatchCommand
{
    public static Command Create(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var command = new Command("watch", "Shows a sweep until it has ended; exit code 1 where a trial failed or it was cancelled. Ctrl-C ends the watching only.") { id, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            return await new SweepWatch(client, error).RunAsync(parsed.GetValue(id)!, cancellation);
        });
        return command;
    }
}

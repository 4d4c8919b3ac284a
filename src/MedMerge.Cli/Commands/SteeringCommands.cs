using System.CommandLine;
using MedMerge.Grains;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge retry|skip|change|extend|remove</c>: changes sweeps of a gateway, also while they run.</summary>
internal static class SteeringCommands
{
    public static IEnumerable<Command> Create(TextWriter error) =>
    [
        CreateRetry(error),
        CreateSkip(error),
        CreateChange(error),
        CreateExtend(error),
        CreateRemove(error),
    ];

    private static Command CreateRetry(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var trials = new Argument<int[]>("trials")
        {
            Description = "The numbers of the trials; all that have failed or are quarantined where none is named.",
            HelpName = "TRIAL",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var kind = new Option<FailureKind?>("--kind")
        {
            Description = "Only those that failed of this kind: transient, permanent or nodeBad.",
            HelpName = "KIND",
        };
        var gateway = CommonOptions.Gateway();
        var command = new Command("retry", "Tries trials again that have ended without a result.") { id, trials, kind, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var numbers = parsed.GetValue(trials) ?? [];
            var status = await client.RetryAsync(parsed.GetValue(id)!, numbers, parsed.GetValue(kind), cancellation);
            await WriteAsync(status, error);
        });
        return command;
    }

    private static Command CreateSkip(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var trials = new Argument<int[]>("trials")
        {
            Description = "The numbers of the trials.",
            HelpName = "TRIAL",
            Arity = ArgumentArity.OneOrMore,
        };
        var gateway = CommonOptions.Gateway();
        var command = new Command("skip", "Stops trials, or does not begin them; `retry` takes them back.") { id, trials, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            foreach (var trial in parsed.GetValue(trials)!)
                await WriteAsync(await client.SkipAsync(parsed.GetValue(id)!, trial, cancellation), error);
        });
        return command;
    }

    private static Command CreateChange(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var parallel = new Option<int?>("--parallel") { Description = "Trials at a time; 0 for one a lane.", HelpName = "N" };
        var priority = new Option<int?>("--priority") { Description = "Higher ones are served first.", HelpName = "N" };
        var trials = new Option<int?>("--max-trials") { Description = "Trials that may begin; 0 for all.", HelpName = "N" };
        var hours = new Option<double?>("--device-hours")
        {
            Description = "How much of the lanes' time may be used; 0 for any.",
            HelpName = "HOURS",
        };
        var gateway = CommonOptions.Gateway();
        var command = new Command("change", "Changes how much of a sweep may run; what is not named stays as it is.")
        {
            id,
            parallel,
            priority,
            trials,
            hours,
            gateway,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var status = await client.LimitAsync(
                parsed.GetValue(id)!,
                parsed.GetValue(parallel),
                parsed.GetValue(priority),
                parsed.GetValue(trials),
                parsed.GetValue(hours),
                cancellation);
            await WriteAsync(status, error);
        });
        return command;
    }

    private static Command CreateExtend(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var file = CommonOptions.SpecificationFile();
        var gateway = CommonOptions.Gateway();
        var command = new Command("extend", "Has a sweep take a larger specification: more seeds, scenarios or methods. Results are kept.")
        {
            id,
            file,
            gateway,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            var (yaml, files) = await SubmitCommand.UploadAsync(parsed.GetValue(file)!, client, error, cancellation);
            await WriteAsync(await client.ExtendAsync(parsed.GetValue(id)!, yaml, files, cancellation), error);
        });
        return command;
    }

    private static Command CreateRemove(TextWriter error)
    {
        var id = CommonOptions.SweepId();
        var gateway = CommonOptions.Gateway();
        var command = new Command("remove", "Removes a sweep that has ended, with the stages that only it used.") { id, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new GatewayClient(parsed.GetValue(gateway)!);
            await client.RemoveAsync(parsed.GetValue(id)!, cancellation);
            await error.WriteLineAsync($"{parsed.GetValue(id)} is removed; `medmerge storage gc` frees its space once it is a day old.");
        });
        return command;
    }

    private static Task WriteAsync(SweepStatus status, TextWriter error) =>
        error.WriteLineAsync($"{status.Id}: {status.State}, {TrialCountsText.Describe(status.Counts)}.");
}

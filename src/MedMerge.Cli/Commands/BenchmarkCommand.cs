using System.CommandLine;
using System.Text.Json;
using MedMerge.Storage.Benchmarks;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge benchmark …</c>: the runs of a schedule with their history.</summary>
internal static class BenchmarkCommand
{
    private const int DefaultRuns = 5;
    private const int RecordSeconds = 120;

    public static Command Create(TextWriter output, TextWriter error) => new("benchmark", "Shows how a schedule's runs change over time.")
    {
        CreateList(output),
        CreateShow(output),
        CreateDiff(output),
        CreateCheck(output, error),
        CreateAccept(error),
    };

    private static Command CreateList(TextWriter output)
    {
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("list", "Lists all benchmarks.") { gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var found = await client.ListBenchmarksAsync(cancellation);
            await output.WriteLineAsync(parsed.GetValue(json) ? Write(found) : BenchmarkTable.Render(found));
        });
        return command;
    }

    private static Command CreateShow(TextWriter output)
    {
        var name = CreateName();
        var runs = new Option<int>("--runs")
        {
            Description = "How many of the last runs to show.",
            DefaultValueFactory = _ => DefaultRuns,
        };
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("show", "Shows scores, times and findings of a benchmark's last runs.") { name, runs, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var found = await client.GetBenchmarkAsync(parsed.GetValue(name)!, parsed.GetValue(runs), cancellation);
            await output.WriteLineAsync(parsed.GetValue(json) ? Write(found) : BenchmarkTable.Render(found));
        });
        return command;
    }

    private static Command CreateDiff(TextWriter output)
    {
        var name = CreateName();
        var from = CreateRun("from", "The earlier run. Default: the last accepted one before the other.");
        var to = CreateRun("to", "The later run. Default: the last one.");
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("diff", "Compares two runs of a benchmark.") { name, from, to, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var diff = await client.DiffBenchmarkAsync(
                parsed.GetValue(name)!,
                parsed.GetValue(from),
                parsed.GetValue(to),
                cancellation);
            await output.WriteLineAsync(parsed.GetValue(json) ? Write(diff) : BenchmarkTable.Render(diff));
        });
        return command;
    }

    private static Command CreateCheck(TextWriter output, TextWriter error)
    {
        var name = CreateName();
        var run = CreateRun("run", "The run, or its sweep's id; waits until it is recorded. Default: the last one.");
        var slower = new Option<double?>("--slower")
        {
            Description = "By what share stages may be slower, such as 0.2. Default: what the nodes have, see docs/benchmarks.md.",
            HelpName = "SHARE",
        };
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("check", $"Ends with exit code {ExitCodes.Regression} if a benchmark's run is flagged.")
        {
            name,
            run,
            slower,
            gateway,
            json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var benchmark = parsed.GetValue(name)!;
            var named = parsed.GetValue(run);
            var check = await WaitAsync(client, benchmark, named, parsed.GetValue(slower), cancellation);
            if (check is null)
                throw new InputException($"The benchmark '{benchmark}' has no run{(named is null ? "" : $" {named}")}.");
            await output.WriteLineAsync(parsed.GetValue(json) ? Write(check) : BenchmarkTable.Render(benchmark, check));
            if (check.State != BenchmarkState.Flagged) return ExitCodes.Done;
            await error.WriteLineAsync($"{benchmark}: {check.Run} is flagged; `medmerge benchmark accept {benchmark}` accepts it.");
            return ExitCodes.Regression;
        });
        return command;
    }

    private static Command CreateAccept(TextWriter error)
    {
        var name = CreateName();
        var run = CreateRun("run", "The run, or its sweep's id. Default: the last one.");
        var gateway = CommonOptions.Gateway();
        var command = new Command("accept", "Accepts a run: later ones are compared with it.") { name, run, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var benchmark = parsed.GetValue(name)!;
            var accepted = await client.AcceptBenchmarkAsync(benchmark, parsed.GetValue(run), cancellation);
            await error.WriteLineAsync($"{benchmark}: {accepted.Run} is accepted.");
        });
        return command;
    }

    /// <summary>Checks a run; one that was named may have ended only now, and is recorded within seconds.</summary>
    private static async Task<BenchmarkCheck?> WaitAsync(
        ScheduleClient client,
        string benchmark,
        string? run,
        double? slower,
        CancellationToken cancellation)
    {
        for (var second = 0; ; second++)
        {
            var check = await client.FindCheckAsync(benchmark, run, slower, cancellation);
            if (check is not null || run is null || second == RecordSeconds) return check;
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        }
    }

    private static string Write<T>(T value) => JsonSerializer.Serialize(value, GatewayClient.Json);

    private static Argument<string> CreateName() => new("name")
    {
        Description = "The benchmark's name, which is its schedule's.",
        HelpName = "NAME",
    };

    private static Argument<string?> CreateRun(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "RUN",
        Arity = ArgumentArity.ZeroOrOne,
    };
}

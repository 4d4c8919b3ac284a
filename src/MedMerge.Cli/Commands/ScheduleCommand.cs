using System.CommandLine;
using System.Text.Json;
using MedMerge.Storage.Schedules;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge schedule …</c>: specifications that a gateway's cluster runs again at fixed times.</summary>
internal static class ScheduleCommand
{
    private const int SubmissionSeconds = 60;

    public static Command Create(TextWriter output, TextWriter error) => new("schedule", "Runs a specification again at fixed times.")
    {
        CreateAdd(error),
        CreateList(output),
        CreateShow(output),
        CreateControl("pause", "Pauses a schedule until it is resumed.", error),
        CreateControl("resume", "Resumes a paused schedule; times of the pause are left out.", error),
        CreateRunNow(output, error),
        CreateRemove(error),
    };

    private static Command CreateAdd(TextWriter error)
    {
        var name = CreateName();
        var file = CommonOptions.SpecificationFile();
        var gateway = CommonOptions.Gateway();
        var cron = new Option<string>("--cron")
        {
            Description = "When: minute, hour, day of month, month, day of week, such as \"0 2 * * 1-5\".",
            HelpName = "CRON",
            Required = true,
        };
        var zone = new Option<string>("--zone")
        {
            Description = "The time zone by its IANA name, such as Europe/Berlin or UTC.",
            HelpName = "ZONE",
            Required = true,
        };
        var missed = new Option<string>("--missed")
        {
            Description = "Which of the times run at which no node ran: latest, all or none.",
            DefaultValueFactory = _ => "latest",
        };
        missed.AcceptOnlyFromAmong("latest", "all", "none");
        var overlap = new Option<string>("--overlap")
        {
            Description = "What becomes of a time at which an earlier sweep of the schedule runs: skip, queue or allow.",
            DefaultValueFactory = _ => "skip",
        };
        overlap.AcceptOnlyFromAmong("skip", "queue", "allow");
        var recompute = new Option<bool>("--recompute")
        {
            Description = "Each run computes everything again, also what is in the store: for benchmarks of the code.",
        };
        var command = new Command("add", "Checks a specification, sends it with its files to a gateway, and has it run at fixed times.")
        {
            name,
            file,
            cron,
            zone,
            missed,
            overlap,
            recompute,
            gateway,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            Schedule.CheckName(parsed.GetValue(name)!);
            ScheduleTimes.CheckCron(parsed.GetValue(cron)!);
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var (specification, files) = await SubmitCommand.UploadAsync(parsed.GetValue(file)!, client, error, cancellation);
            var body = new
            {
                name = parsed.GetValue(name),
                cron = parsed.GetValue(cron),
                zone = parsed.GetValue(zone),
                specification,
                files,
                missed = parsed.GetValue(missed),
                overlap = parsed.GetValue(overlap),
                recompute = parsed.GetValue(recompute),
            };
            var added = await client.AddScheduleAsync(body, cancellation);
            await error.WriteLineAsync($"{added.Name}: next {ScheduleTable.DescribeNext(added)}.");
        });
        return command;
    }

    private static Command CreateList(TextWriter output)
    {
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("list", "Lists all schedules.") { gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var schedules = await client.ListSchedulesAsync(cancellation);
            var isJson = parsed.GetValue(json);
            await output.WriteLineAsync(isJson ? JsonSerializer.Serialize(schedules, GatewayClient.Json) : ScheduleTable.Render(schedules));
        });
        return command;
    }

    private static Command CreateShow(TextWriter output)
    {
        var name = CreateName();
        var gateway = CommonOptions.Gateway();
        var json = CommonOptions.Json();
        var command = new Command("show", "Shows a schedule's next five times and what became of the last ones.") { name, gateway, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var schedule = await client.GetScheduleAsync(parsed.GetValue(name)!, cancellation);
            var isJson = parsed.GetValue(json);
            await output.WriteLineAsync(isJson ? JsonSerializer.Serialize(schedule, GatewayClient.Json) : ScheduleTable.Render(schedule));
        });
        return command;
    }

    private static Command CreateControl(string verb, string description, TextWriter error)
    {
        var name = CreateName();
        var gateway = CommonOptions.Gateway();
        var command = new Command(verb, description) { name, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var schedule = await client.ControlScheduleAsync(parsed.GetValue(name)!, verb, cancellation);
            await error.WriteLineAsync($"{schedule.Name}: {(schedule.IsPaused ? "" : "next ")}{ScheduleTable.DescribeNext(schedule)}.");
        });
        return command;
    }

    private static Command CreateRunNow(TextWriter output, TextWriter error)
    {
        var name = CreateName();
        var gateway = CommonOptions.Gateway();
        var command = new Command("run-now", "Runs a schedule now, beside its times, and prints the sweep's id.") { name, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            var schedule = parsed.GetValue(name)!;
            var sweep = await client.RunScheduleAsync(schedule, cancellation);
            await output.WriteLineAsync(sweep);
            if (!await IsSubmittedAsync(client, schedule, sweep, cancellation))
                await error.WriteLineAsync($"note: no node has submitted it within {SubmissionSeconds} s; one will once it runs.");
        });
        return command;
    }

    /// <summary>Waits until a node has submitted a sweep, so that commands after this one know it.</summary>
    private static async Task<bool> IsSubmittedAsync(ScheduleClient client, string name, string sweep, CancellationToken cancellation)
    {
        for (var second = 0; second < SubmissionSeconds; second++)
        {
            var schedule = await client.GetScheduleAsync(name, cancellation);
            if (schedule.Waiting.All(run => run.Sweep != sweep)) return true;
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        }
        return false;
    }

    private static Command CreateRemove(TextWriter error)
    {
        var name = CreateName();
        var gateway = CommonOptions.Gateway();
        var command = new Command("remove", "Removes a schedule; the sweeps that it has submitted stay.") { name, gateway };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new ScheduleClient(parsed.GetValue(gateway)!);
            await client.RemoveScheduleAsync(parsed.GetValue(name)!, cancellation);
            await error.WriteLineAsync($"{parsed.GetValue(name)}: removed.");
        });
        return command;
    }

    private static Argument<string> CreateName() => new("name")
    {
        Description = "The schedule's name: 1 to 40 lower-case letters, digits and hyphens.",
        HelpName = "NAME",
    };
}

using System.CommandLine;
using System.Globalization;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge storage verify|gc|du|retain</c>: maintains the store.</summary>
internal static class StorageCommand
{
    private const double MaxAgeHours = 1e6;
    private const double MaxAgeDays = 1e5;
    private const double MaxGigabytes = 1e9;
    private const double BytesPerGigabyte = 1e9;

    public static Command Create(TextWriter output) =>
        new("storage", "Maintains the store of finished stages and checkpoints.")
        {
            CreateVerify(output),
            CreateCollect(output),
            CreateUsage(output),
            CreateRetain(output),
        };

    private static Command CreateVerify(TextWriter output)
    {
        var store = CommonOptions.Store();
        var command = new Command(
            "verify",
            "Reads every object in the store and checks its hash; exit code 1 if any is damaged.")
        {
            store,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var objects = await ObjectStores.OpenExistingAsync(parsed.GetValue(store), cancellation);
            var findings = await StoreMaintenance.VerifyAsync(objects, cancellation);
            foreach (var damaged in findings.Damaged) await output.WriteLineAsync($"damaged: {damaged}");
            await output.WriteLineAsync($"{findings.Objects} objects read, {findings.Damaged.Count} damaged or missing.");
            return findings.Damaged.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static Command CreateCollect(TextWriter output)
    {
        var store = CommonOptions.Store();
        var age = new Option<double>("--older-than")
        {
            Description = "Remove only what has not been used for this many hours; running sweeps need their recent objects.",
            HelpName = "HOURS",
            DefaultValueFactory = _ => 24,
        };
        var command = new Command("gc", "Removes old checkpoints and unreferenced artefacts.") { store, age };
        command.SetAction(async (parsed, cancellation) =>
        {
            var hours = parsed.GetValue(age);
            if (hours is not (>= 0 and <= MaxAgeHours))
                throw new InputException($"{age.Name} must be a number of hours from 0 to {MaxAgeHours:0}.");
            var objects = await ObjectStores.OpenExistingAsync(parsed.GetValue(store), cancellation);
            var cleaned = await StoreMaintenance.CollectAsync(objects, TimeSpan.FromHours(hours), TimeProvider.System, cancellation);
            await output.WriteLineAsync(
                $"{cleaned.Removed} artefacts removed, {cleaned.Kept} kept; checkpoints of {cleaned.Stages} stages removed.");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command CreateUsage(TextWriter output)
    {
        var store = CommonOptions.Store();
        var command = new Command("du", "Shows what takes the space: kinds of content, and each sweep with what only it uses.") { store };
        command.SetAction(async (parsed, cancellation) =>
        {
            var objects = await ObjectStores.OpenExistingAsync(parsed.GetValue(store), cancellation);
            var usage = await StoreUsage.ReadAsync(objects, cancellation);
            await output.WriteLineAsync(TextTable.Render(
            [
                ["content", "size"],
                ["outputs of stages", ByteSize.Format(usage.Outputs)],
                ["checkpoints", ByteSize.Format(usage.Checkpoints)],
                ["specifications, plans, data and weights", ByteSize.Format(usage.Inputs)],
                ["records, and what nothing refers to", ByteSize.Format(usage.Other)],
                ["all", ByteSize.Format(usage.Total)],
            ]));
            await output.WriteAsync(RenderSweeps(usage.Sweeps));
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command CreateRetain(TextWriter output)
    {
        var store = CommonOptions.Store();
        var age = new Option<double?>("--days") { Description = "Keep sweeps that ended in the last DAYS days.", HelpName = "DAYS" };
        var size = new Option<double?>("--gigabytes")
        {
            Description = "Keep the newest sweeps that together take at most so much.",
            HelpName = "GB",
        };
        var isDryRun = new Option<bool>("--dry-run") { Description = "Show what would be removed, and remove nothing." };
        var command = new Command(
            "retain",
            "Removes sweeps that ended long ago or are too many, oldest first, with what only they used; `gc` then frees the space.")
        {
            age,
            size,
            isDryRun,
            store,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (days, gigabytes) = (parsed.GetValue(age), parsed.GetValue(size));
            if (days is null && gigabytes is null) throw new InputException($"Name {age.Name}, {size.Name} or both.");
            if (days is < 0 or > MaxAgeDays || gigabytes is < 0 or > MaxGigabytes)
                throw new InputException($"{age.Name} and {size.Name} can't be negative or so large.");
            var objects = await ObjectStores.OpenExistingAsync(parsed.GetValue(store), cancellation);
            var retention = new Retention(
                days is { } value ? TimeSpan.FromDays(value) : null,
                gigabytes is { } limit ? (long)(limit * BytesPerGigabyte) : null);
            var dry = parsed.GetValue(isDryRun);
            var removed = await retention.ApplyAsync(objects, dry, TimeProvider.System, cancellation);
            if (removed.Count > 0) await output.WriteAsync(RenderSweeps(removed));
            var verb = dry ? "would be removed" : "removed";
            var freed = ByteSize.Format(removed.Sum(sweep => sweep.OwnBytes));
            var count = removed.Count == 1 ? "1 sweep" : $"{removed.Count} sweeps";
            await output.WriteLineAsync($"{count} {verb}; nothing else uses {freed} of that.");
            return ExitCodes.Done;
        });
        return command;
    }

    private static string RenderSweeps(IReadOnlyList<SweepUsage> sweeps) => TextTable.Render(
    [
        ["sweep", "state", "changed", "size", "its own"],
        .. sweeps.Select(sweep => (string[])
        [
            sweep.Id,
            $"{sweep.State}",
            sweep.Modified.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
            ByteSize.Format(sweep.Bytes),
            ByteSize.Format(sweep.OwnBytes),
        ]),
    ]);
}

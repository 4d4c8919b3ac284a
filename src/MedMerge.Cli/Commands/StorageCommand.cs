using System.CommandLine;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge storage verify|gc</c>: maintains the store.</summary>
internal static class StorageCommand
{
    private const double MaxAgeHours = 1e6;

    public static Command Create(TextWriter output) =>
        new("storage", "Maintains the store of finished stages and checkpoints.") { CreateVerify(output), CreateCollect(output) };

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
}

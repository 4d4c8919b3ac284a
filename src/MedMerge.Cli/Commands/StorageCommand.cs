using System.CommandLine;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge storage verify|gc</c>: care for the store.</summary>
internal static class StorageCommand
{
    public static Command Create(TextWriter output)
    {
        var store = CommonOptions.Store();
        var verify = new Command("verify", "Reads everything in the store and checks every hash; exit code 1 where something is damaged.") { store };
        verify.SetAction(async (parsed, cancellation) =>
        {
            var findings = await StoreMaintenance.VerifyAsync(await ObjectStores.OpenExistingAsync(parsed.GetValue(store), cancellation), cancellation);
            foreach (var damaged in findings.Damaged) await output.WriteLineAsync($"damaged: {damaged}");
            await output.WriteLineAsync($"{findings.Objects} objects read, {findings.Damaged.Count} damaged or missing.");
            return findings.Damaged.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
        });

        var age = new Option<double>("--older-than") { Description = "Only what nothing has touched for that many hours; runs at work need theirs.", HelpName = "HOURS", DefaultValueFactory = _ => 24 };
        var collect = new Command("gc", "Removes checkpoints that no run has touched for a while, and artefacts that nothing refers to.") { store, age };
        collect.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(age) is not (>= 0 and <= 1e6)) throw new InputException("--older-than must be a number of hours from 0 to 1000000.");
            var objects = await ObjectStores.OpenExistingAsync(parsed.GetValue(store), cancellation);
            var cleaned = await StoreMaintenance.CollectAsync(objects, TimeSpan.FromHours(parsed.GetValue(age)), TimeProvider.System, cancellation);
            await output.WriteLineAsync($"{cleaned.Removed} artefacts removed, {cleaned.Kept} kept; checkpoints of {cleaned.Stages} stages removed.");
            return ExitCodes.Done;
        });
        return new Command("storage", "Cares for the store of finished stages and checkpoints.") { verify, collect };
    }
}

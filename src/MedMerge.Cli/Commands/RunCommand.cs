using System.CommandLine;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Storage;
using MedMerge.Tensors;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge run SPEC</c>: the whole comparison, here and now.</summary>
internal static class RunCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("specification") { Description = "The YAML specification to run.", HelpName = "FILE" };
        var store = CommonOptions.Store();
        var json = CommonOptions.Json();
        var folder = CommonOptions.Output();
        var dryRun = new Option<bool>("--dry-run") { Description = "Check everything and print the plan; compute nothing." };
        var command = new Command("run", "Runs a specification on this machine: sources, merge, baselines, comparison. Interrupted, it goes on where it was.")
        {
            file, store, folder, json, dryRun,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(file)!, parsed.GetValue(store), parsed.GetValue(folder), parsed.GetValue(json), parsed.GetValue(dryRun), output, error, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string file, string? store, string? outputFolder, bool json, bool dryRun, TextWriter output, TextWriter error,
        CancellationToken cancellation)
    {
        if (dryRun && json) throw new InputException("--dry-run prints a table for people; leave out --json.");
        var specification = SpecificationReader.ReadFile(file);
        var files = new Dictionary<string, byte[]>();
        var plan = Plan.Build(specification, (location, kind) => files[location] = InputFile.Read(location, kind));
        DeviceThread.Find(specification.Device);
        foreach (var note in plan.Notes) await error.WriteLineAsync($"note: {note}").ConfigureAwait(false);
        if (dryRun)
        {
            var existing = await ObjectStores.FindAsync(store, cancellation).ConfigureAwait(false);
            var kept = existing is null ? [] : await new StageStore(existing).KeysAsync(cancellation).ConfigureAwait(false);
            await output.WriteLineAsync(PlanTable.Render(plan, kept.Contains)).ConfigureAwait(false);
            return ExitCodes.Done;
        }

        var folder = outputFolder is null ? null : new OutputFolder(outputFolder);
        folder?.CheckModelPlaces(specification.Sources.Select(source => source.Weights).OfType<string>());
        var objects = await ObjectStores.OpenAsync(store, cancellation).ConfigureAwait(false);
        if (objects is AzureBlobStore blobs)
            await error.WriteLineAsync($"note: everything is kept in {blobs.Address}. A cluster on it works for this sweep too, and goes on when this command ends; --store DIR keeps it to yourself.").ConfigureAwait(false);
        var run = new LocalRun(objects, new ProgressLine(error, isTerminal: !Console.IsErrorRedirected && error == Console.Error));
        var failed = await run.RunAsync(plan, (location, _) => files[location], async result =>
        {
            if (folder is not null) await WriteAsync(result, new StageStore(objects), folder, cancellation).ConfigureAwait(false);
            await output.WriteAsync(json ? ResultFiles.ToJson(result) : ComparisonTable.Render(result)).ConfigureAwait(false);
            if (folder is not null) await error.WriteLineAsync(CommonOptions.Written(outputFolder!)).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
        foreach (var trial in failed) await error.WriteLineAsync(ProgressLine.Failed(trial)).ConfigureAwait(false);
        return failed.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task WriteAsync(ScenarioResult result, StageStore store, OutputFolder folder, CancellationToken cancellation)
    {
        var models = OutputFiles.Models(result.Plan, result.Trials.Select(trial => trial.Trial)).ToDictionary(model => model.Name);
        await folder.WriteRunAsync(
            file => Task.FromResult(file.Write(result)), models.Keys,
            async name => (await store.GetAsync(models[name].Stage, cancellation).ConfigureAwait(false))[models[name].Artefact], cancellation).ConfigureAwait(false);
    }
}

using System.CommandLine;
using MedMerge.Experiments;
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
        var folder = new Option<string?>("--output") { Description = "Write results, merged models, kernel weights and certificates here.", HelpName = "DIR" };
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
        var specification = SpecificationReader.ReadFile(file);
        var files = new Dictionary<string, byte[]>();
        var plan = Plan.Build(specification, (location, kind) => files[location] = InputFile.Read(location, kind));
        DeviceThread.Find(specification.Device);
        foreach (var note in plan.Notes) await error.WriteLineAsync($"note: {note}").ConfigureAwait(false);
        if (dryRun)
        {
            var isThere = ObjectStores.FolderOf(store) is not { } place || Directory.Exists(place);
            var existing = isThere ? await ObjectStores.OpenExistingAsync(store, cancellation).ConfigureAwait(false) : null;
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
            if (folder is not null) await ExportAsync(result, new StageStore(objects), folder, cancellation).ConfigureAwait(false);
            await output.WriteAsync(json ? ResultFiles.ToJson(result) : ComparisonTable.Render(result)).ConfigureAwait(false);
            if (folder is not null) await error.WriteLineAsync($"Results, models, kernel weights and certificates are in '{outputFolder}'.").ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
        foreach (var trial in failed) await error.WriteLineAsync(ProgressLine.Failed(trial)).ConfigureAwait(false);
        return failed.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    /// <summary>Results for people and programs, the sources as merged, and each seed's merged model with its kernel weights and certificate.</summary>
    private static async Task ExportAsync(RunResult result, StageStore store, OutputFolder folder, CancellationToken cancellation)
    {
        folder.RemoveEarlierModels();
        // The results first: they are what tells the next run that the models are a run's, should this one be cut off.
        await folder.WriteAsync("results.json", ResultFiles.ToJson(result), cancellation).ConfigureAwait(false);
        await folder.WriteAsync("results.csv", ResultFiles.ToCsv(result), cancellation).ConfigureAwait(false);
        await folder.WriteAsync("results.md", ComparisonTable.Render(result), cancellation).ConfigureAwait(false);
        foreach (var trial in result.Trials.Select(trial => trial.Trial).Where(trial => trial.Method.Kind == MethodKind.MedMerge))
        {
            var name = $"medmerge/seed-{trial.Seed}";
            await CopyAsync(trial.Merge!, StageFiles.KernelWeights, $"{name}/kernel-weights.safetensors").ConfigureAwait(false);
            await CopyAsync(trial.Merge!, StageFiles.Model, $"{name}/merged.safetensors").ConfigureAwait(false);
            await CopyAsync(trial.Merge!, StageFiles.Certificate, $"{name}/certificate.json").ConfigureAwait(false);
            await CopyAsync(trial.Model, StageFiles.Model, $"{name}/model.safetensors").ConfigureAwait(false);
            await CopyAsync(trial.Model, StageFiles.History, $"{name}/fine-tuning.json").ConfigureAwait(false);
            await CopyAsync(trial.Merge!.Weights, StageFiles.History, $"{name}/weighing.json").ConfigureAwait(false);
            if (trial.Seed != result.Plan.Specification.Seeds[0]) continue;
            foreach (var (stage, source) in trial.Merge.Sources.Zip(trial.Merge.SourceNames))
                await CopyAsync(stage.Inputs[0], StageFiles.Model, $"sources/{source}.safetensors").ConfigureAwait(false);
        }

        async Task CopyAsync(Stage stage, string artefact, string name)
        {
            var found = await store.GetAsync(stage, cancellation).ConfigureAwait(false);
            await folder.WriteAsync(name, found[artefact], cancellation).ConfigureAwait(false);
        }
    }
}

using System.Collections.Concurrent;
using System.CommandLine;
using System.Text;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Grains.Nodes;
using MedMerge.Reporting;
using MedMerge.Storage;
using MedMerge.Tensors;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge run FILE</c>: runs a whole comparison on this machine.</summary>
internal static class RunCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var file = CommonOptions.SpecificationFile();
        var store = CommonOptions.Store();
        var json = CommonOptions.Json();
        var folder = CommonOptions.Output();
        var export = CommonOptions.Export();
        var dryRun = new Option<bool>("--dry-run") { Description = "Check everything and print the plan, without computing anything." };
        var lanes = new Option<int?>("--lanes")
        {
            Description = "Stages that compute at a time. Default: as many as the cores have room for, each with its threads. " +
                "Results do not depend on it.",
            HelpName = "N",
        };
        var command = new Command(
            "run",
            "Runs a specification on this machine: sources, merge, baselines, comparison. Resumes an interrupted run.")
        {
            file,
            store,
            folder,
            export,
            json,
            dryRun,
            lanes,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(file)!,
            parsed.GetValue(store),
            parsed.GetValue(folder),
            CommonOptions.ReadExport(parsed.GetValue(export)),
            parsed.GetValue(json),
            parsed.GetValue(dryRun),
            parsed.GetValue(lanes),
            output,
            error,
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        string file,
        string? store,
        string? outputFolder,
        IReadOnlyList<string> methods,
        bool json,
        bool dryRun,
        int? lanes,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellation)
    {
        if (lanes < 1) throw new InputException($"--lanes is {lanes}; it must be at least 1.");
        if (dryRun && json) throw new InputException("--dry-run prints a table for people; leave out --json.");
        var specification = ScenarioLoader.Read(() => SpecificationReader.ReadFile(file), InputFile.Read)
            .WithDevices(DeviceThread.NameInFull);
        var weights = new ConcurrentDictionary<string, byte[]>(); // data sets are packed, and their files need not be kept
        Plan? plan = Plan.Build(specification, Read);
        var summary = PlanSummary.Of(plan);
        foreach (var note in plan.Notes) await error.WriteLineAsync($"note: {note}");
        if (dryRun) return await ShowPlanAsync(summary, specification.Settings.Device, lanes, store, output, cancellation);

        var folder = OpenOutput(outputFolder, specification, summary, methods);
        var objects = await ObjectStores.OpenAsync(store, cancellation);
        if (objects is AzureBlobStore blobs)
        {
            await error.WriteLineAsync(
                $"note: everything is kept in {blobs.Address}. A cluster that uses it continues this sweep when this command ends; " +
                "where a cluster runs it already, this command waits for its results. --store DIR uses a folder of your own.");
        }
        var artefacts = new ArtefactStore(objects);
        var submission = await Submission.WriteAsync(plan, summary, (location, _) => weights[location], artefacts, cancellation);
        plan = null; // the silo reads the packed data sets; these and the files would stay in memory for the whole run
        weights.Clear();
        var run = new LocalRun(objects, lanes, SweepDisplay.Create(error, LocalRun.HasLog));
        var trials = await run.RunAsync(submission, summary, specification.Settings.Device, ShowAsync, cancellation);
        var counts = trials.Aggregate(new TrialCounts(0), (sum, trial) => sum.Add(trial.State, trial.Kind, 1));
        if (counts.Done == counts.Total) return ExitCodes.Done;
        foreach (var trial in trials.Where(HasFailed)) await error.WriteLineAsync(ProgressLine.DescribeFailure(trial));
        await error.WriteLineAsync($"{TrialCountsText.Describe(counts)}.");
        return counts.Done + counts.StoppedEarly == counts.Total ? ExitCodes.Done : ExitCodes.Failed;

        byte[] Read(string location, string kind)
        {
            var content = InputFile.Read(location, kind);
            if (kind == ModelFile.Kind) weights[location] = content;
            return content;
        }

        async Task ShowAsync(SweepResult result)
        {
            if (folder is not null) await WriteAsync(result, new StageStore(objects), folder, methods, cancellation);
            await output.WriteAsync(json ? ResultFiles.ToJson(result) : ComparisonTable.Render(result));
            if (folder is not null) await error.WriteLineAsync(CommonOptions.DescribeOutput(outputFolder!));
        }
    }

    private static bool HasFailed(TrialSummary trial) => trial.State is WorkState.Failed or WorkState.Quarantined;

    private static OutputFolder? OpenOutput(
        string? path,
        Specification specification,
        PlanSummary plan,
        IReadOnlyList<string> methods)
    {
        if (path is null) return null;
        var folder = new OutputFolder(path);
        var inputs = specification.Sources.Select(source => source.Weights).OfType<string>().ToList();
        folder.CheckModelFolders(OutputFiles.GetScenarios(plan, plan.Trials), inputs, methods);
        return folder;
    }

    private static async Task<int> ShowPlanAsync(
        PlanSummary plan,
        string device,
        int? lanes,
        string? store,
        TextWriter output,
        CancellationToken cancellation)
    {
        var existing = await ObjectStores.FindAsync(store, cancellation);
        var cached = existing is null ? [] : await new StageStore(existing).KeysAsync(cancellation);
        IReadOnlyList<MeasuredStage> measured = existing is null ? [] : await new StagePaces(existing).ReadAsync(plan, cancellation);
        var capacity = NodeCapacity.Of(new NodeOptions { Device = device, Lanes = lanes });
        var expected = ExpectedTime.Of(
            plan,
            cached.Contains,
            measured,
            DeviceModel.Get(device),
            plan.Scenarios.Min(scenario => capacity.LanesFor(scenario.Settings.Threads)));
        await output.WriteLineAsync(PlanTable.Render(plan, cached.Contains, expected));
        return ExitCodes.Done;
    }

    private static async Task WriteAsync(
        SweepResult result,
        StageStore store,
        OutputFolder folder,
        IReadOnlyList<string> methods,
        CancellationToken cancellation)
    {
        var finished = result.Scenarios.SelectMany(scenario => scenario.Trials).Select(trial => trial.Trial).ToList();
        var models = OutputFiles.GetModels(result.Plan, finished)
            .Where(model => OutputFiles.IsOf(model.Name, methods))
            .ToDictionary(model => model.Name);
        var documents = OutputFiles.GetDocuments(result.Plan, finished)
            .Where(document => OutputFiles.IsOf(document.Name, methods))
            .ToDictionary(document => document.Name);
        await folder.WriteRunAsync(
            OutputFiles.GetScenarios(result.Plan, finished),
            (scenario, file) => Task.FromResult(file.Write(FindScenario(scenario.Name))),
            file => file.WriteAsync(result, cancellation),
            models.Keys.Concat(documents.Keys),
            ReadModelAsync,
            cancellation);

        ScenarioResult FindScenario(string name) => result.Scenarios.First(scenario => scenario.Scenario.Name == name);

        async Task<byte[]> ReadModelAsync(string name)
        {
            if (documents.TryGetValue(name, out var document))
                return Encoding.UTF8.GetBytes(document.WriteFrom(FindScenario(result.Plan.GetScenario(document.Trial).Name)));
            var model = models[name];
            return await store.GetFileAsync(model.Stage, model.Artefact, cancellation);
        }
    }
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Reporting;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Tests.Training;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

public class StageRunnerTests
{
    private const string Small = """
        name: small
        target: { data: 'phantom:lesions', trainImages: 24 }
        architecture: resnet20
        width: 0.125
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }
        seeds: 2
        threads: 1
        kernelWeights: { epochs: 2, batchSize: 8, shards: 2 }
        fineTune: { epochs: 1, batchSize: 8 }
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_compares_every_method_with_the_same_budget()
    {
        var plan = Plan.Build(SpecificationReader.Read(Small, "it", []));
        var result = await RunAsync(plan, new CountingStageStore());

        Assert.Equal(["medmerge", "average", "fine-tune a", "fine-tune b", "lp-ft a", "lp-ft b", "scratch", "untrained-partner", "self-scale"],
            result.Summaries.Select(summary => summary.Method.Title));
        Assert.Equal(18, result.Trials.Count);
        var passes = plan.Trials.ToDictionary(trial => trial, trial => trial.Stages.Sum(stage => stage switch
        {
            ProbeStage or MergeStage => 1,
            KernelWeightStage weigh => weigh.Learning.Epochs,
            FineTuneStage tune when tune == trial.FindOutput(OutputRole.Model)!.Stage => tune.Training.Epochs,
            _ => 0, // making the sources is not on the target
        }));
        Assert.All(passes.Values, count => Assert.Equal(plan.Scenarios[0].Budget, count));

        var table = ComparisonTable.Render(result);
        Assert.Contains("phantom:lesions (synthetic)", table, StringComparison.Ordinal);
        Assert.Contains("Merging", table, StringComparison.Ordinal);
        Assert.Contains("self-scale (control)", table, StringComparison.Ordinal);
        using var json = System.Text.Json.JsonDocument.Parse(ResultFiles.ToJson(result));
        Assert.Equal(18, json.RootElement.GetProperty("trials").GetArrayLength());
        var settings = json.RootElement.GetProperty("settings");
        Assert.All(SettingTable.All, setting => Assert.Equal(setting.GetValue(plan.Scenarios[0].Settings).ToString(), settings.GetProperty(setting.Path).ToString()));
        Assert.Equal(1, settings.GetProperty("sources.a.pretrain").GetProperty("epochs").GetInt32());
        Assert.Contains("Settings: kernelWeights.epochs 2, kernelWeights.batchSize 8, kernelWeights.shards 2, fineTune.epochs 1", table, StringComparison.Ordinal);
        Assert.Equal(1 + (18 * 2), ResultFiles.ToCsv(result).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Nothing_is_computed_twice_and_an_interrupted_run_goes_on_to_the_same_bytes()
    {
        var plan = Plan.Build(SpecificationReader.Read(Small + "\nmethods: [medmerge, lp-ft]", "it", []));
        var undisturbed = await RunAsync(plan, new CountingStageStore());

        var store = new CountingStageStore();
        for (var attempt = 0; attempt < 30; attempt++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var epochs = 0;
            try
            {
                var result = await RunAsync(plan, store, _ => { if (++epochs == 3) cancel.Cancel(); }, cancel.Token);
                Assert.Equal(plan.Stages.Count, store.Saved.Count);
                Assert.Equal(Bytes(undisturbed), Bytes(result));
                return;
            }
            catch (OperationCanceledException)
            {
                // started again below
            }
        }
        Assert.Fail("The run never came to its end.");

        static byte[] Bytes(ScenarioResult result) => StageFiles.Write(result.Trials.Select(trial => trial.Predictions));
    }

    /// <summary>A node that leaves in the middle of an epoch leaves a checkpoint of the step it had reached, not of the epoch before.</summary>
    [Fact]
    public async Task Cancelled_in_the_middle_of_an_epoch_it_keeps_the_step_it_had_reached()
    {
        var plan = Plan.Build(SpecificationReader.Read(Small.Replace("seeds: 2", "seeds: 1", StringComparison.Ordinal) + "\nmethods: [medmerge]", "it", []));
        var weigh = plan.Stages.OfType<KernelWeightStage>().Single();
        var store = new CountingStageStore();
        await using var device = new DeviceThread("cpu", 1);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        using var stop = new StepStop(2, Instruments.Weigh); // of three in an epoch
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stop.RunAsync(token => runner.OutputAsync(weigh, (_, _) => { }, token)));

        using var state = System.Text.Json.JsonDocument.Parse((await store.Checkpoints(weigh.Key).LoadAsync(Cancellation))!);
        Assert.Equal(1, state.RootElement.GetProperty("History").GetArrayLength());
        Assert.Equal(2, state.RootElement.GetProperty("Step").GetInt32());
    }

    [Fact]
    public async Task The_kernel_weights_file_gives_the_merged_model_again_byte_for_byte()
    {
        var plan = Plan.Build(SpecificationReader.Read(Small.Replace("seeds: 2", "seeds: 1", StringComparison.Ordinal) + "\nmethods: [medmerge]", "it", []));
        var store = new CountingStageStore();
        await RunAsync(plan, store);
        var merge = (MergeStage)plan.Trials[0].FindOutput(OutputRole.Certificate)!.Stage;
        var output = (await store.FindAsync(merge.Key, Cancellation))!;

        using var learned = LearnedKernelWeights.Read(output[StageFiles.KernelWeights], "it");
        var sources = new List<PreparedSource>();
        foreach (var prepared in merge.Sources)
        {
            using var weights = Safetensors.Read((await store.FindAsync(prepared.Inputs[0].Key, Cancellation))![StageFiles.Model], "it").Tensors;
            sources.Add(PreparedSource.Fold("", learned.Architecture, weights));
        }
        using var merged = learned.Apply(sources);
        Assert.Equal(output[StageFiles.Model], Safetensors.Write(merged, ModelMetadata.Of(learned.Architecture)));
        Assert.True(StageFiles.Read<Certificate>(output, StageFiles.Certificate).Holds);
    }

    [Fact]
    public void Stages_are_told_apart_by_all_that_changes_their_numbers()
    {
        string Key(string yaml) => Plan.Build(SpecificationReader.Read(yaml, "it", [])).Trials[0].Predictions.Key;
        var key = Key(Small);
        Assert.Equal(key, Key(Small.Replace("name: small", "name: other", StringComparison.Ordinal)));
        string[] changes = ["threads: 1|threads: 2", "shards: 2|shards: 1", "width: 0.125|width: 0.25", "24 }|25 }", "lesions|cells", "epochs: 2|epochs: 3", "name: a|name: c"];
        var keys = changes.Select(change => change.Split('|')).Select(change => Key(Small.Replace(change[0], change[1], StringComparison.Ordinal))).ToList();
        Assert.All(changes.Zip(keys), pair => Assert.True(pair.Second != key, $"{pair.First} changes nothing"));
        Assert.Equal(changes.Length, keys.Distinct().Count());
    }

    [Fact]
    public void No_two_models_begin_from_the_same_random_weights_unless_told_to()
    {
        var plan = Plan.Build(SpecificationReader.Read(Small, "it", []));
        var starts = plan.Stages.OfType<UntrainedStage>().ToList();
        Assert.Equal(2 + 2 + 2, starts.Select(stage => (stage.Seed, stage.Index)).Distinct().Count()); // sources, scratch and partner of two seeds

        var sameSeed = Small.Replace("epochs: 1 }", "epochs: 1, seed: 7 }", StringComparison.Ordinal);
        Assert.Contains(Plan.Build(SpecificationReader.Read(sameSeed, "it", [])).Notes, note => note.Contains("from the same random weights", StringComparison.Ordinal));
        var sameModel = sameSeed.Replace("phantom:vessels", "phantom:opacities", StringComparison.Ordinal);
        var message = Assert.Throws<InputException>(() => Plan.Build(SpecificationReader.Read(sameModel, "it", []))).Message;
        Assert.Contains("The sources 'a' and 'b' are the same model", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_bad_source_is_told_at_once()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-spec-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "a.pt"), "no weights");
            File.WriteAllBytes(Path.Combine(folder, "b.npz"), [1, 2, 3]);
            var yaml = "target: { data: b.npz }\narchitecture: resnet20\nsources:\n - { name: x, weights: a.pt }\n - { name: y, weights: b.npz }\n";
            var message = Assert.Throws<InputException>(() => Plan.Build(SpecificationReader.Read(yaml, "it", [folder]))).Message;
            Assert.Contains("can't be read as a MedMNIST data set", message, StringComparison.Ordinal);
            Assert.Contains("source 'x'", message, StringComparison.Ordinal);
            Assert.Contains("source 'y'", message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_weight_file_that_changed_after_planning_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-import-").FullName;
        try
        {
            var path = Path.Combine(folder, "a.safetensors");
            var architecture = Architectures.Create("resnet20", 0.125);
            using var planned = RandomModels.Weights(architecture, seed: 1, classes: 2);
            using var changed = RandomModels.Weights(architecture, seed: 2, classes: 2);
            var stage = new ImportStage(path, ContentHash.Of(Safetensors.Write(planned)), architecture);
            var store = new CountingStageStore();
            await using var device = new DeviceThread("cpu", 1);
            var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

            File.WriteAllBytes(path, Safetensors.Write(changed));
            var error = await Assert.ThrowsAsync<InputException>(() => runner.OutputAsync(stage, (_, _) => { }, Cancellation));
            Assert.Contains("has changed since the run was planned", error.Message, StringComparison.Ordinal);
            Assert.Empty(store.Saved);

            File.WriteAllBytes(path, Safetensors.Write(planned));
            Assert.Equal(Safetensors.Write(planned), (await runner.OutputAsync(stage, (_, _) => { }, Cancellation))[StageFiles.Model]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<ScenarioResult> RunAsync(Plan plan, CountingStageStore store, Action<EpochRecord>? hear = null, CancellationToken? cancellation = null)
    {
        await using var device = new DeviceThread("cpu", plan.Specification.Settings.Threads);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        foreach (var trial in plan.Trials) await runner.OutputAsync(trial.Predictions, (epoch, _) => hear?.Invoke(epoch), cancellation ?? Cancellation);
        var summary = PlanSummary.Read(PlanSummary.Of(plan).Write());
        return (await SweepResult.ReadAsync(summary, summary.Trials, store, Cancellation)).Scenarios.Single();
    }
}

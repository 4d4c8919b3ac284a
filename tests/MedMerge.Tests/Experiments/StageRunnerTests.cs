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
using MedMerge.Testing;
using MedMerge.Tests.Merging.Files;
using MedMerge.Tests.Models;
using MedMerge.Tests.Training;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

public class StageRunnerTests
{
    private static readonly SpecificationBuilder Small = new()
    {
        Seeds = 2,
        KernelWeights = "{ epochs: 2, batchSize: 8, shards: 2 }",
        FineTune = "{ epochs: 1, batchSize: 8 }",
    };

    private static readonly SpecificationBuilder Merged = Small with { Methods = "[medmerge]", Seeds = 1 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_compares_every_method_with_the_same_budget()
    {
        var plan = Small.BuildPlan();

        var result = await PlanRun.RunAsync(plan, new CountingStageStore());

        string[] rows =
        [
            "medmerge",
            "average",
            "aligned-average",
            "uniform-soup",
            "greedy-soup",
            "learned-soup",
            "fisher",
            "fine-tune a",
            "fine-tune b",
            "lp-ft a",
            "lp-ft b",
            "wise-ft a",
            "wise-ft b",
            "restored a",
            "restored b",
            "scratch",
            "ensemble",
            "untrained-partner",
            "scrambled-partner",
            "jittered-partner",
            "self-scale",
        ];
        Assert.Equal(rows, result.Summaries.Select(summary => summary.Method.Title));
        Assert.Equal(2 * rows.Length, result.Trials.Count);
        Assert.All(plan.Trials, trial =>
            Assert.Equal(trial.Method.Method.GetPasses(plan.Scenarios[0].Budget, sources: 2), CountPasses(trial)));
    }

    [Fact]
    public async Task What_a_run_gives_can_be_reported()
    {
        var plan = (Small with { Methods = "[medmerge, fine-tune, self-scale]" }).BuildPlan();

        var result = await PlanRun.RunAsync(plan, new CountingStageStore());

        var table = ComparisonTable.Render(result);
        Assert.Contains("phantom:lesions (synthetic)", table, StringComparison.Ordinal);
        Assert.Contains("No verdict: it takes 5 seeds", table, StringComparison.Ordinal);
        Assert.Contains("self-scale (control)", table, StringComparison.Ordinal);
        using var json = System.Text.Json.JsonDocument.Parse(ResultFiles.ToJson(result));
        Assert.Equal(plan.Trials.Count, json.RootElement.GetProperty("trials").GetArrayLength());
        Assert.Equal(1 + (2 * plan.Trials.Count), ResultFiles.ToCsv(result).TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task Every_method_tries_the_same_learning_rates_and_validation_chooses()
    {
        var plan = (Small with { Methods = "[scratch, average]", Seeds = 1, LearningRateTries = 3 }).BuildPlan();

        var result = await PlanRun.RunAsync(plan, new CountingStageStore());

        Assert.Equal(2, result.Trials.Count);
        foreach (var choice in result.Trials.Select(trial => trial.LearningRate!))
        {
            Assert.Equal([0.001 / 3, 0.001, 0.003], choice.Tries.Select(rate => rate.LearningRate), new Tolerance(1e-12));
            var chosen = choice.Tries.Single(rate => rate.LearningRate == choice.LearningRate);
            Assert.All(choice.Tries, rate => Assert.False(rate.Best!.Value.IsBetterThan(chosen.Best!.Value)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_learning_rate_at_which_training_diverges_is_not_chosen_and_fails_the_trial_only_if_all_do(int shards)
    {
        var fineTune = $"{{ epochs: 2, batchSize: 8, shards: {shards} }}";
        var plan = (Small with { Methods = "[average]", Seeds = 1, FineTune = fineTune }).BuildPlan();
        var stage = plan.Trials.Select(trial => trial.FindOutput(OutputRole.Model)!.Stage).OfType<ChooseRateStage>().First();
        var good = stage.Tries[0];
        var tooHigh = good with { Training = good.Training with { LearningRate = 1e30 } };
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var warnings = new List<string>();
        var runner = new StageRunner(
            new CountingStageStore(),
            device,
            (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)),
            onWarning: (name, warning) => warnings.Add($"{name}: {warning}"));

        var output = await runner.OutputAsync(stage with { Tries = [good, tooHigh] }, (_, _) => { }, Cancellation);
        var error = await Assert.ThrowsAsync<ComputationException>(
            () => runner.OutputAsync(stage with { Tries = [tooHigh] }, (_, _) => { }, Cancellation));

        var choice = StageFiles.Read<LearningRateChoice>(output, StageFiles.LearningRate);
        Assert.Equal(good.Training.LearningRate, choice.LearningRate);
        Assert.Equal([false, true], choice.Tries.Select(tried => tried.Best is null));
        Assert.Contains("diverged at every learning rate that was tried (1E+30)", error.Message, StringComparison.Ordinal);
        Assert.Equal("choose rate: Training diverged at learning rate 1E+30, which is not chosen.", Assert.Single(warnings));
    }

    [Fact]
    public async Task A_scrambled_partner_has_the_partners_filters_in_another_order()
    {
        var plan = (Merged with { Methods = "[scrambled-partner]" }).BuildPlan();
        var scramble = plan.Stages.OfType<ScrambleStage>().Single();
        var store = new CountingStageStore();
        await PlanRun.RunAsync(plan, store);

        using var partner = await ReadAsync(scramble.Prepared);
        using var scrambled = await ReadAsync(scramble);

        var kernels = plan.Scenarios[0].Architecture.Layers.Select(layer => layer.Name + ".weight").ToList();
        Assert.All(kernels, name => Assert.Equal(SumFilters(partner[name]).Order(), SumFilters(scrambled[name]).Order()));
        Assert.Contains(kernels, name => !SumFilters(partner[name]).SequenceEqual(SumFilters(scrambled[name])));

        async Task<StateDict> ReadAsync(Stage stage) =>
            Safetensors.Read((await store.GetAsync(stage.Key, Cancellation))[StageFiles.Prepared], "it").Tensors;

        static float[] SumFilters(TorchSharp.torch.Tensor kernel) => [.. kernel.sum([1L, 2L, 3L]).data<float>()];
    }

    [Fact]
    public async Task Nothing_is_computed_twice_and_an_interrupted_run_goes_on_to_the_same_bytes()
    {
        var plan = (Small with { Methods = "[medmerge, lp-ft]" }).BuildPlan();
        var undisturbed = await PlanRun.RunAsync(plan, new CountingStageStore());

        var store = new CountingStageStore();
        for (var attempt = 0; attempt < 30; attempt++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var epochs = 0;
            try
            {
                var result = await PlanRun.RunAsync(plan, store, _ => { if (++epochs == 3) cancel.Cancel(); }, cancellation: cancel.Token);
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

    /// <summary>
    /// A node that leaves in the middle of an epoch leaves a checkpoint of the step it had reached, not of the epoch before.
    /// </summary>
    [Fact]
    public async Task Cancelled_in_the_middle_of_an_epoch_it_keeps_the_step_it_had_reached()
    {
        var plan = Merged.BuildPlan();
        var weigh = plan.Stages.OfType<KernelWeightStage>().Single();
        var store = new CountingStageStore();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        using var stop = new StepStop(2, TrainingNames.KernelWeights); // of three in an epoch

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => stop.RunAsync(token => runner.OutputAsync(weigh, (_, _) => { }, token)));

        using var state = System.Text.Json.JsonDocument.Parse((await store.Checkpoints(weigh.Key).LoadAsync(Cancellation))!);
        Assert.Equal(1, state.RootElement.GetProperty("History").GetArrayLength());
        Assert.Equal(2, state.RootElement.GetProperty("Step").GetInt32());
    }

    /// <summary>The keys and bytes of outputs don't depend on it; see the test above that compares an interrupted run.</summary>
    [Fact]
    public async Task An_output_says_how_long_it_took_on_what_and_whether_it_began_from_a_checkpoint()
    {
        var plan = Merged.BuildPlan();
        var weigh = plan.Stages.OfType<KernelWeightStage>().Single();
        var store = new CountingStageStore();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        using var stop = new StepStop(2, TrainingNames.KernelWeights);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => stop.RunAsync(token => runner.OutputAsync(weigh, (_, _) => { }, token)));
        await PlanRun.RunAsync(plan, store);

        foreach (var stage in plan.Stages)
        {
            var timing = (await store.FindAsync(stage.Key, Cancellation))!.Timing!;
            Assert.Equal(stage == weigh, timing.IsResumed);
            Assert.Equal(DeviceModel.Get(device.Device), timing.Device);
            Assert.True(timing.Seconds > 0 || !stage.HasEpochs, stage.Name);
        }
    }

    [Fact]
    public async Task The_kernel_weights_file_gives_the_merged_model_again_byte_for_byte()
    {
        var plan = Merged.BuildPlan();
        var store = new CountingStageStore();
        await PlanRun.RunAsync(plan, store);
        var merge = (MergeStage)plan.Trials[0].FindOutput(OutputRole.Certificate)!.Stage;
        var output = (await store.FindAsync(merge.Key, Cancellation))!;

        var learned = LearnedKernelWeights.Read(output[StageFiles.KernelWeights], merge.Name);
        var folder = Directory.CreateTempSubdirectory("medmerge-again-").FullName;
        var sources = new List<SourceFile>();
        foreach (var (prepared, weighted) in merge.Sources.Zip(learned.Sources))
        {
            var source = await store.FindAsync(prepared.Inputs[0].Key, Cancellation);
            sources.Add(new SourceFile(weighted.Name, Path.Combine(folder, weighted.Name)));
            await File.WriteAllBytesAsync(sources[^1].Path, source![StageFiles.Model], Cancellation);
        }
        Assert.Equal(output[StageFiles.Model], MergedFile.Write(learned, sources));
        Directory.Delete(folder, recursive: true);
        Assert.True(StageFiles.Read<Certificate>(output, StageFiles.Certificate).Holds);
        using var file = ModelFile.Read(output[StageFiles.Model], "the merge");
        Assert.Equal(plan.Scenarios.Single().Target.Height, ModelSignature.Read(file.Metadata)!.Height);
    }

    /// <param name="from">What the specification says.</param>
    /// <param name="to">What it says instead.</param>
    [Theory]
    [InlineData("threads: 1", "threads: 2")]
    [InlineData("shards: 2", "shards: 1")]
    [InlineData("width: 0.125", "width: 0.25")]
    [InlineData("24 }", "25 }")]
    [InlineData("lesions", "cells")]
    [InlineData("epochs: 2", "epochs: 3")]
    [InlineData(": a\n", ": c\n")] // the name of a source, and of the anchor
    public void A_stage_is_told_apart_by_all_that_changes_its_numbers(string from, string to)
    {
        Assert.Contains(from, Small.Yaml, StringComparison.Ordinal);

        Assert.NotEqual(GetKey(Small.Yaml), GetKey(Small.Yaml.Replace(from, to, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_sweeps_name_changes_no_number() => Assert.Equal(GetKey(Small.Yaml), GetKey((Small with { Name = "other" }).Yaml));

    [Fact]
    public void No_two_models_start_from_the_same_random_weights()
    {
        var starts = Small.BuildPlan().Stages.OfType<UntrainedStage>().Select(stage => (stage.Seed, stage.Index));

        const int sources = 2, scratch = 2, partners = 2; // the latter two for each seed
        Assert.Equal(sources + scratch + partners, starts.Distinct().Count());
    }

    [Fact]
    public void Sources_with_one_seed_are_noted_and_on_the_same_data_refused()
    {
        var sameSeed = Small.Yaml.Replace("epochs: 1 }", "epochs: 1, seed: 7 }", StringComparison.Ordinal);
        var sameModel = sameSeed.Replace("phantom:vessels", "phantom:opacities", StringComparison.Ordinal);

        Assert.Contains(BuildPlan(sameSeed).Notes, note => note.Contains("from the same random weights", StringComparison.Ordinal));
        var message = Assert.Throws<InputException>(() => BuildPlan(sameModel)).Message;
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
            const string yaml = """
                target: { data: b.npz }
                architecture: resnet20
                sources:
                  - { name: x, weights: a.pt }
                  - { name: y, weights: b.npz }
                """;

            var message = Assert.Throws<InputException>(() => BuildPlan(yaml, folder)).Message;

            Assert.Contains("b.npz' is no zip file", message, StringComparison.Ordinal);
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
            var stage = new ImportStage(path, Prefix: null, ContentHash.Of(Safetensors.Write(planned)), architecture);
            var store = new CountingStageStore();
            await using var device = new DeviceThread(TestDevice.Name, 1);
            var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

            File.WriteAllBytes(path, Safetensors.Write(changed));
            var error = await Assert.ThrowsAsync<InputException>(() => runner.OutputAsync(stage, (_, _) => { }, Cancellation));
            Assert.Contains("has changed since the run was planned", error.Message, StringComparison.Ordinal);
            Assert.Empty(store.Saved);

            File.WriteAllBytes(path, Safetensors.Write(planned));
            var imported = await runner.OutputAsync(stage, (_, _) => { }, Cancellation);
            var expected = Safetensors.Write(planned, ModelMetadata.Of(architecture, signature: null));
            Assert.Equal(expected, imported[StageFiles.Model]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Plan BuildPlan(string yaml, params string[] folders) =>
        Plan.Build(SpecificationReader.Read(yaml, "test.yaml", folders));

    private static string GetKey(string yaml) => BuildPlan(yaml).Trials[0].Predictions.Key;

    /// <summary>Passes over the target's training images; making the sources is not among them.</summary>
    private sealed class Tolerance(double tolerance) : IEqualityComparer<double>
    {
        public bool Equals(double x, double y) => Math.Abs(x - y) <= tolerance;

        public int GetHashCode(double value) => 0;
    }

    private static int CountPasses(Trial trial)
    {
        var target = trial.Scenario.Target;
        return trial.Stages.Sum(stage => stage switch
        {
            ProbeStage or MergeStage or StatisticsStage => 1,
            KernelWeightStage learn => learn.Learning.Epochs,
            FineTuneStage tune when tune.Target.Dataset == target => tune.Training.Epochs,
            SoupStage { Kind: SoupRecipe.Greedy } greedy => greedy.Models.Count,
            SoupStage => 1,
            FisherStage fisher => fisher.Models.Count + 1,
            _ => 0,
        });
    }
}

using System.Diagnostics;
using MedMerge.Data;
using MedMerge.Data.Checks;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Models.Graphs;
using MedMerge.Reporting;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Models;

namespace MedMerge.Tests.Experiments;

public class PlanTests
{
    private const int Seeds = 1000;

    private static readonly SpecificationBuilder Defaults = new() { KernelWeights = null, FineTune = null };

    private static readonly Plan Large =
        (Defaults with { Methods = "[medmerge, average, lp-ft, self-scale]", Seeds = Seeds }).BuildPlan();

    [Fact]
    public void What_takes_no_seed_is_made_once_for_all_seeds()
    {
        var stages = Large.Trials.SelectMany(trial => trial.Stages).ToHashSet<Stage>(ReferenceEqualityComparer.Instance);

        Assert.Equal(5, stages.OfType<ProbeStage>().Count()); // one for each method and, with lp-ft, source
        Assert.Equal(5 * Seeds, Large.Trials.Count);
    }

    /// <summary>What was checked when it was submitted is not checked again on every node: its weight files are not even read.</summary>
    [Fact]
    public void The_plan_of_a_frozen_specification_has_the_same_stages_without_reading_weights()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-plan-").FullName;
        try
        {
            foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
            {
                using var weights = RandomModels.Weights(Architectures.Create("resnet20", 0.125), seed, classes: 3);
                File.WriteAllBytes(Path.Combine(folder, name + ".safetensors"), Safetensors.Write(weights));
            }
            var specification = SpecificationReader.Read("""
                target: { data: 'phantom:lesions', trainImages: 24 }
                architecture: resnet20
                width: 0.125
                sources:
                  - { name: a, weights: a.safetensors }
                  - { name: b, weights: b.safetensors }
                seeds: 1
                threads: 1
                """, "test.yaml", [folder]);
            var built = Plan.Build(specification);
            var frozen = FrozenSpecification.Freeze(
                specification,
                source => FrozenSpecification.Address(PackedDataset.Write(built.Datasets[source]), source.Location),
                path => FrozenSpecification.Address(File.ReadAllBytes(path), path));

            var plan = Plan.BuildFrozen(frozen, new Dictionary<DatasetSource, ImageDataset>
            {
                [frozen.Target] = built.Datasets[specification.Target],
            });

            Assert.Equal(built.Stages.Select(stage => stage.Key), plan.Stages.Select(stage => stage.Key));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Two_models_in_one_weight_file_are_two_sources()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-plan-").FullName;
        try
        {
            using var both = new StateDict();
            foreach (var (prefix, seed) in new[] { ("student.", 1UL), ("teacher.", 2UL) })
            {
                using var weights = RandomModels.Weights(Architectures.Create("resnet20", 0.125), seed, classes: 3);
                foreach (var (name, tensor) in weights) both.Add(prefix + name, tensor.clone());
            }
            File.WriteAllBytes(Path.Combine(folder, "both.safetensors"), Safetensors.Write(both));
            Plan Build(string teacher) => Plan.Build(SpecificationReader.Read($$"""
                target: { data: 'phantom:lesions', trainImages: 24 }
                architecture: resnet20
                width: 0.125
                sources:
                  - { name: student, weights: both.safetensors, prefix: student }
                  - { name: teacher, weights: both.safetensors{{teacher}} }
                """, "test.yaml", [folder]));

            Assert.Equal(2, Build(", prefix: teacher").Stages.OfType<ImportStage>().Count());
            Assert.Contains(
                "under 'student.', 'teacher.'; choose one with the source's 'prefix'",
                Assert.ThrowsAny<InputException>(() => Build("")).Message,
                StringComparison.Ordinal);
            Assert.Contains(
                "are the same model",
                Assert.ThrowsAny<InputException>(() => Build(", prefix: student")).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Stored outputs are found by these: they change only where a stage's numbers do, and then by <c>Stage.Version</c>.</summary>
    [Fact]
    public void Stage_keys_are_those_of_the_stores_that_people_have()
    {
        const string methods =
            "[medmerge, average, fine-tune, lp-ft, restored, scratch, untrained-partner, scrambled-partner, self-scale]";
        var plan = (Defaults with { Device = null, Methods = methods }).BuildPlan();

        var keys = string.Join('\n', plan.Stages.Select(stage => stage.Key));

        Assert.Equal("872d54a4f52f268792416c563c23ddf9", ContentHash.Of(keys)[..32]);
    }

    [Fact]
    public void A_plan_of_several_scenarios_numbers_their_trials_one_after_another_and_has_a_folder_for_each()
    {
        var one = (Defaults with { Methods = "[medmerge, fine-tune]" }).BuildPlan();
        var first = one.Scenarios[0] with { Name = "first" };
        var shorter = first.Settings with { FineTune = first.Settings.FineTune with { Epochs = 3 } };
        var second = first with { Name = "second", Settings = shorter };

        var plan = PlanSummary.Of(Plan.LayOut(one.Specification, [first, second], []));

        Assert.Equal(Enumerable.Range(1, 6), plan.Trials.Select(trial => trial.Number));
        Assert.Equal([0, 0, 0, 1, 1, 1], plan.Trials.Select(trial => trial.Scenario));
        Assert.NotEqual(plan.Trials[0].Predictions, plan.Trials[3].Predictions);
        Assert.Equal(["first/", "second/"], OutputFiles.GetScenarios(plan, plan.Trials).Select(scenario => scenario.Folder));
        var table = PlanTable.Render(plan, _ => true);
        Assert.Contains("2 scenarios, 6 trials", table, StringComparison.Ordinal);
        Assert.Contains("| second   |      3 |    3 |", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_point_of_a_grid_is_a_scenario_and_the_sources_are_shared()
    {
        var specification = (Defaults with { Methods = "[fine-tune]" }).BuildPlan().Specification;
        var hot = specification.Settings with { FineTune = specification.Settings.FineTune with { LearningRate = 0.01 } };
        var grid = specification with { Points = [new("cold", specification.Settings), new("hot", hot)] };

        var plan = Plan.Build(FrozenSpecification.Read(FrozenSpecification.Write(grid)));

        Assert.Equal(["cold", "hot"], plan.Scenarios.Select(scenario => scenario.Name));
        Assert.Equal([0.001, 0.01], plan.Scenarios.Select(scenario => scenario.Settings.FineTune.LearningRate));
        var keys = plan.Scenarios.Select(scenario => string.Join(',', scenario.Sources.Select(source => source.Stage.Key)));
        Assert.Single(keys.Distinct());
        Assert.Equal(2, plan.Trials.Select(trial => trial.Predictions.Key).Distinct().Count() / plan.Scenarios[0].Sources.Count);
    }

    [Fact]
    public void A_source_that_was_pretrained_on_the_target_is_noted()
    {
        var specification = Defaults.BuildPlan().Specification;
        var source = specification.Sources[0];
        var leaking = source with { Pretrain = source.Pretrain! with { Data = specification.Target } };

        var plan = Plan.Build(specification with { Sources = [leaking, specification.Sources[1]] });

        Assert.Contains(plan.Notes, note => note.Contains($"'{source.Name}' is pretrained on the target itself", StringComparison.Ordinal));
        Assert.DoesNotContain(Defaults.BuildPlan().Notes, note => note.Contains("itself", StringComparison.Ordinal));
    }

    /// <summary>Another data set to all appearances: the target's test images, darker, to train on.</summary>
    [Fact]
    public void A_source_that_has_learned_the_targets_test_images_is_noted()
    {
        var target = Defaults.BuildPlan().Specification.Target.Load(InputFile.Read);
        var darker = target.Test with { Pixels = Array.ConvertAll(target.Test.Pixels, value => (byte)(value * 4 / 5)) };
        var learned = new ImageDataset(target.Info with { Name = "other" }, darker, target.Validation, target.Train);

        AssertLeaks(target, learned, $"{target.Test.Count} images of test are copies of ones that the source has learned");
    }

    /// <summary>Other images of the same patients, and of others.</summary>
    [Fact]
    public void A_source_that_has_learned_from_the_targets_test_patients_is_noted()
    {
        var phantom = Defaults.BuildPlan().Specification.Target.Load(InputFile.Read);
        var target = new ImageDataset(
            phantom.Info with { Name = "scans" },
            phantom.Train with { Groups = NumberPatients(phantom.Train, first: 1) },
            phantom.Validation with { Groups = NumberPatients(phantom.Validation, first: 1000) },
            phantom.Test with { Groups = NumberPatients(phantom.Test, first: 2000) });
        var other = Phantoms.Create("opacities", phantom.Height, train: 40, validation: 8, test: 8);
        ulong[] patients = [.. Enumerable.Range(0, 40).Select(i => i < 37 ? 1ul : 2000ul + (ulong)i)];
        var learned = new ImageDataset(
            other.Info with { Name = "other" },
            other.Train with { Groups = patients },
            other.Validation with { Groups = new ulong[8] },
            other.Test with { Groups = new ulong[8] });

        AssertLeaks(target, learned, "3 images of test are of groups that the source has learned from");
        var unknown = new ImageDataset(other.Info, other.Train with { Groups = new ulong[40] }, learned.Validation, learned.Test);
        Assert.Empty(GroupChecks.Between(unknown, learned)); // images without a patient have none in common

        static ulong[] NumberPatients(ImageSplit split, int first) =>
            [.. Enumerable.Range(first, split.Count).Select(number => (ulong)number)];
    }

    /// <summary>The note is the only one on a source and a target, and an error where the specification says so.</summary>
    private static void AssertLeaks(ImageDataset target, ImageDataset learned, string expected)
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-leaks-").FullName;
        try
        {
            var specification = Defaults.BuildPlan().Specification;
            var source = specification.Sources[0];
            var leaking = specification with
            {
                Target = Save(target),
                Sources = [source with { Pretrain = source.Pretrain! with { Data = Save(learned) } }, specification.Sources[1]],
            };

            var plan = Plan.Build(leaking);

            var start = $"the source '{source.Name}' and the target '{target.Name}': ";
            var found = Assert.Single(plan.Notes, note => note.StartsWith(start, StringComparison.Ordinal));
            Assert.Equal(start + expected, found);
            var error = Assert.ThrowsAny<InputException>(() => Plan.Build(leaking with { RefusesCopies = true }));
            Assert.Contains($"{found}, and 'copies: refuse' is set", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        DatasetSource Save(ImageDataset dataset)
        {
            var file = Path.Combine(folder, $"{dataset.Name}.packed");
            File.WriteAllBytes(file, PackedDataset.Write(dataset));
            return DatasetSource.Find(file);
        }
    }

    /// <summary>Slices of the same scans in another direction are no copies.</summary>
    [Fact]
    public void A_source_that_was_pretrained_on_a_set_of_the_same_origin_is_noted()
    {
        var specification = Defaults.BuildPlan().Specification;
        var lesions = specification.Target.Load(InputFile.Read);
        var folder = Directory.CreateTempSubdirectory("medmerge-plan-").FullName;
        try
        {
            var target = Save("organamnist", lesions.Train, lesions.Validation, lesions.Test);
            var source = specification.Sources[0];
            var related = source with
            {
                Pretrain = source.Pretrain! with { Data = Save("organcmnist", lesions.Test, lesions.Validation, lesions.Train) },
            };

            var plan = Plan.Build(specification with { Target = target, Sources = [related, specification.Sources[1]] });

            var expected = $"the source '{source.Name}' is pretrained on 'organcmnist', and the target is 'organamnist': " +
                           "both were made of LiTS (Bilic et al. 2023)";
            Assert.Single(plan.Notes, note => note == expected);
            Assert.DoesNotContain(Defaults.BuildPlan().Notes, note => note.Contains("both were made of", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        DatasetSource Save(string name, ImageSplit train, ImageSplit validation, ImageSplit test)
        {
            var info = lesions.Info with { Name = name, Provenance = new Provenance("test", Sha256: null) };
            var file = Path.Combine(folder, $"{name}.packed");
            File.WriteAllBytes(file, PackedDataset.Write(new ImageDataset(info, train, validation, test)));
            return DatasetSource.Find(file);
        }
    }

    [Theory]
    [InlineData("first", "../second")]
    [InlineData("first", "a/b")]
    [InlineData("first", "FIRST")]
    public void Scenarios_whose_folders_would_clash_or_leave_the_output_are_refused(string one, string other)
    {
        var plan = Defaults.BuildPlan();
        Scenario[] scenarios = [plan.Scenarios[0] with { Name = one }, plan.Scenarios[0] with { Name = other }];

        Assert.Throws<ArgumentException>(() => Plan.LayOut(plan.Specification, scenarios, []));
    }

    [Fact]
    public void Images_that_an_architecture_can_not_take_are_refused_before_anything_runs()
    {
        var specification = Defaults.BuildPlan().Specification with { Architecture = new LargeImagesOnly() };

        var error = Assert.ThrowsAny<InputException>(() => Plan.Build(specification));

        Assert.Contains(
            "needs images of at least 32 × 32 pixels; those of phantom:lesions have 28 × 28",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_a_large_plan_does_not_take_the_square_of_its_size()
    {
        var clock = Stopwatch.StartNew();
        var table = PlanTable.Render(PlanSummary.Of(Large), _ => false);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"It took {clock.Elapsed}.");
        Assert.Contains("up to 4000", table, StringComparison.Ordinal); // the anchor's pretraining
    }

    private sealed class LargeImagesOnly() : Architecture("large", width: 1, "fc", new CifarResNet(20, 0.25).Layers)
    {
        public override int MinSide => 32;

        protected override void Build(GraphBuilder graph) => throw new NotSupportedException();
    }
}

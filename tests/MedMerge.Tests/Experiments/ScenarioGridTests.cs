using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;

namespace MedMerge.Tests.Experiments;

/// <summary>The long form of a specification.</summary>
public class ScenarioGridTests
{
    private const string Target = """
        target: { data: "phantom:lesions", trainImages: 24 }

        """;

    private const string Sources = """
        architecture: resnet20
        width: 0.25
        sources:
          - name: cells
            pretrain: { data: "phantom:cells", trainImages: 24 }
          - name: opacities
            pretrain: { data: "phantom:opacities", trainImages: 24 }
          - name: vessels
            pretrain: { data: "phantom:vessels", trainImages: 24 }
        methods: [fine-tune]
        learningRateTries: 1
        kernelWeights: { batchSize: 8 }
        fineTune: { batchSize: 8 }

        """;

    private const string Targets = """
        targets:
          - { name: lesions, data: "phantom:lesions", trainImages: 24 }
          - { name: tubes, data: "phantom:vessels", trainImages: 24 }

        """;

    [Fact]
    public void Every_target_with_every_set_of_sources_and_every_choice_of_settings_is_a_scenario()
    {
        var plan = Plan.Build(Read(Targets + Sources + """
            sourceSets: pairs
            vary:
              fineTune.learningRate: [0.001, 0.01]
              kernelWeights.epochs: [1, 2, 3]
            """));

        Assert.Equal(2 * 3 * 2 * 3, plan.Scenarios.Count);
        var last = plan.Scenarios[^1];
        Assert.Equal("tubes, opacities and vessels, fineTune.learningRate=0.01, kernelWeights.epochs=3", last.Name);
        Assert.Equal("phantom:vessels", last.Target.Name);
        Assert.Equal((0.01, 3), (last.Settings.FineTune.LearningRate, last.Settings.KernelWeights.Epochs));
        Assert.Equal(["opacities", "vessels"], last.Sources.Select(source => source.Name));
        Assert.Equal(3, plan.Stages.OfType<FineTuneStage>().Count(stage => stage.Start is UntrainedStage)); // each is pretrained once
        Assert.Contains(plan.Notes, note => note.Contains("pretrained on the target itself", StringComparison.Ordinal));
    }

    [Fact]
    public void A_source_that_no_scenario_takes_is_read_and_noted()
    {
        var specification = Read(Target + Sources + "sourceSets: [[cells, opacities]]");
        var plan = Plan.Build(specification);
        Assert.Contains("no scenario takes the source 'vessels'", plan.Notes);
        Assert.Empty(FrozenSpecification.Datasets(specification).Except(plan.Datasets.Keys));
    }

    [Fact]
    public void A_frozen_specification_gives_the_same_trials()
    {
        var specification = Read(Targets + Sources + "sourceSets: pairs");
        var copy = FrozenSpecification.Read(FrozenSpecification.Write(specification));
        Assert.Equal(Keys(Plan.Build(specification)), Keys(Plan.Build(copy)));

        static IEnumerable<string> Keys(Plan plan) => plan.Trials.Select(trial => $"{trial.Scenario.Name}/{trial.Predictions.Key}");
    }

    [Theory]
    [InlineData("sourceSets: all", "cells opacities vessels")]
    [InlineData("sourceSets: { upTo: 3 }", "cells opacities|cells vessels|opacities vessels|cells opacities vessels")]
    [InlineData("sourceSets: [[vessels, cells]]", "cells vessels")]
    [InlineData("anchor: vessels\nsourceSets: pairs", "cells vessels|opacities vessels")]
    public void Sets_of_sources_are_all_pairs_up_to_a_size_or_given(string yaml, string expected)
    {
        var specification = Read(Target + Sources + yaml);
        var sets = specification.GetPoints().Select(point => point.Sources!.Select(index => specification.Sources[index].Name));
        Assert.Equal(expected, string.Join('|', sets.Select(set => string.Join(' ', set))));
        var isAnchored = yaml.Contains("anchor", StringComparison.Ordinal);
        Assert.All(specification.GetPoints(), point => Assert.Equal(isAnchored ? 1 : null, point.Anchor));
    }

    [Fact]
    public void Excluded_scenarios_and_those_with_a_source_of_the_targets_own_data_are_left_out()
    {
        var specification = Read(Targets + Sources + """
            sourceSets: pairs
            vary: { fineTune.epochs: [1, 2] }
            exclude:
              - { target: lesions, fineTune.epochs: 2 }
              - { sources: [cells, opacities], fineTune.epochs: [1, 2], target: lesions }
            trainedOnTarget: leave-out
            """);
        Assert.Equal(
            [
                "lesions, cells and vessels, fineTune.epochs=1",
                "lesions, opacities and vessels, fineTune.epochs=1",
                "tubes, cells and opacities, fineTune.epochs=1",
                "tubes, cells and opacities, fineTune.epochs=2",
            ],
            specification.GetPoints().Select(point => point.Name));
    }

    [Fact]
    public void A_value_is_excluded_however_it_is_written()
    {
        var specification = Read(Target + Sources + """
            vary: { kernelWeights.anchorWeight: [0.6, 0.8] }
            exclude: [{ kernelWeights.anchorWeight: 0.60 }]
            """);
        Assert.Equal(["kernelWeights.anchorWeight=0.8"], specification.GetPoints().Select(point => point.Name));
    }

    [Fact]
    public void A_source_from_one_that_was_trained_on_the_target_is_left_out_or_noted()
    {
        const string onward = "  - { name: onward, from: vessels, pretrain: { data: 'phantom:cells', trainImages: 32 } }\n";
        var sources = Sources.Replace("methods:", $"{onward}sourceSets: pairs\nmethods:", StringComparison.Ordinal);
        var target = "target: { data: 'phantom:vessels', trainImages: 24 }\n";
        var left = Read(target + sources + "trainedOnTarget: leave-out").GetPoints();
        Assert.Equal("cells and opacities", Assert.Single(left).Name);
        var plan = Plan.Build(Read(target + sources + "trainedOnTarget: note"));
        const string expected = "'onward' is pretrained on the target itself, by way of 'vessels'";
        Assert.Contains(plan.Notes, note => note.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_source_can_be_trained_on_from_another()
    {
        var yaml = Target + Sources.Replace(
            "  - name: vessels\n",
            "  - name: vessels\n    from: cells\n",
            StringComparison.Ordinal);
        var plan = Plan.Build(Read(yaml));

        var (cells, vessels) = (plan.Scenarios[0].Sources[0], plan.Scenarios[0].Sources[2]);
        var stage = Assert.IsType<FineTuneStage>(vessels.Stage);
        Assert.Equal(cells.Stage.Key, stage.Start.Key);
        Assert.False(stage.StartCounts); // its new classifier is zero
        Assert.Equal("vessels (cells, then trained on phantom:vessels (synthetic))", vessels.Title);
        Assert.Contains(plan.Notes, note => note.Contains("'vessels' is trained on from 'cells'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sourceSets: some", "'sourceSets' is 'some'; it must be 'all', 'pairs'")]
    [InlineData("sourceSets: { upTo: 1 }", "'sourceSets.upTo' is '1'")]
    [InlineData("sourceSets: [[cells, opacity]]", "'opacity' in 'sourceSets' is no source; did you mean 'opacities'?")]
    [InlineData("sourceSets: [[cells]]", "a set in 'sourceSets' has 1 source(s)")]
    [InlineData("sourceSets: [[cells, vessels], [vessels, cells]]", "'sourceSets' lists the same set twice")]
    [InlineData("anchor: cells\nsourceSets: [[opacities, vessels]]", "lacks the anchor 'cells'")]
    [InlineData("anchor: cell\nsourceSets: [[opacities, vessels]]", "'anchor' is 'cell', which is no source")]
    [InlineData("vary: { fineTune.epoch: [1] }", "there is no setting 'fineTune.epoch' to vary; did you mean 'fineTune.epochs'?")]
    [InlineData("vary: { fineTune.epochs: 3 }", "'vary.fineTune.epochs' must be a list of values")]
    [InlineData("vary: { fineTune.epochs: [3, x] }", "'fineTune.epochs' in 'vary' is 'x'; it must be a whole number")]
    [InlineData("vary: { augmentation: [shift-flip, 'shift, flip'] }", "'vary.augmentation' lists shift, flip twice")]
    [InlineData("vary: { fineTune.epochs: [3, 3] }", "'vary.fineTune.epochs' lists 3 twice")]
    [InlineData("vary: { fineTune.shards: [3] }", "line 15: 'fineTune.batchSize' (8) must be a multiple")]
    [InlineData("exclude: [{ source: cells }]", "there is no key 'source'")]
    [InlineData("exclude: [{ sources: [cell] }]", "is 'cell', which is none")]
    [InlineData("exclude: [{ sources: [cells] }]", "no scenario is left")]
    [InlineData(
        "vary: { fineTune.epochs: [1, 2] }\nexclude: [{ fineTune.epochs: 3 }]",
        "'exclude[0].fineTune.epochs' is '3', which 'vary' does not list: it excludes nothing")]
    [InlineData(
        "search: { points: 1, over: { fineTune.epochs: [1, 2], fineTune.learningRate: { uniform: [0.1, 0.2] } } }\n" +
        "exclude: [{ fineTune.epochs: 3, fineTune.learningRate: 0.3 }]",
        "has 1 error:\n  line 16: 'exclude[0].fineTune.epochs' is '3', which 'search' does not list: it excludes nothing")]
    [InlineData("trainedOnTarget: drop", "'trainedOnTarget' is 'drop'; it must be 'note' or 'leave-out'")]
    public void Errors_name_what_is_wrong(string yaml, string message)
    {
        var error = Assert.ThrowsAny<InputException>(() => Read(Target + Sources + yaml)).Message;
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains("line ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("targets: []", "'targets' names no target")]
    [InlineData("targets: [{ name: a, data: 'phantom:cells' }, { name: A, data: 'phantom:lesions' }]", "the target name 'A' is used twice")]
    [InlineData("targets: [{ name: ../a, data: 'phantom:cells' }]", "becomes part of folder names")]
    [InlineData("target: { data: 'phantom:cells' }\ntargets: [{ name: a, data: 'phantom:cells' }]", "are both there: leave one out")]
    public void Errors_of_targets_name_what_is_wrong(string yaml, string message) =>
        Assert.Contains(message, Assert.ThrowsAny<InputException>(() => Read(yaml + "\n" + Sources)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("from: nothing", "is 'from' 'nothing', which is no source")]
    [InlineData("from: vessels", "is trained on from itself")]
    public void A_source_is_from_one_that_is_there_and_not_in_a_circle(string from, string message)
    {
        var yaml = Target + Sources.Replace("  - name: vessels\n", $"  - name: vessels\n    {from}\n", StringComparison.Ordinal);
        Assert.Contains(message, Assert.ThrowsAny<InputException>(() => Read(yaml)).Message, StringComparison.Ordinal);
    }

    private static Specification Read(string yaml) => SpecificationReader.Read(yaml, "test", []);
}

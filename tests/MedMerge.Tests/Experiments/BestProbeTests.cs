using System.Text.Json.Nodes;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary><c>anchor: best-probe</c>: the source with the best linear probe is the anchor.</summary>
public class BestProbeTests
{
    private const string Yaml = """
        target: { data: 'phantom:lesions', trainImages: 48 }
        architecture: resnet20
        width: 0.25
        sources:
          - { name: vessels, pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 } }
          - { name: lesions, pretrain: { data: 'phantom:lesions', trainImages: 200, epochs: 4 } }
          - { name: opacities, pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 } }
        kernelWeights: { epochs: 1, batchSize: 16, shards: 2 }
        fineTune: { epochs: 1, batchSize: 16 }
        learningRateTries: 1
        threads: 1

        """;

    private static readonly string[] WithoutAnchor =
    [
        "uniform-soup",
        "greedy-soup",
        "learned-soup",
        "fisher",
        "fine-tune",
        "lp-ft",
        "wise-ft",
        "restored",
        "scratch",
        "ensemble",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Metric.MacroF1, 1)]
    [InlineData(Metric.Accuracy, 0)] // the first of two that are equal
    [InlineData(Metric.Auc, 2)]
    public async Task The_best_source_by_the_scenarios_metric_is_chosen_and_of_equal_ones_the_first(Metric metric, int expected)
    {
        Validation[] scores =
        [
            new(MacroF1: 0.5, Loss: 3) { Accuracy = 0.75, Auc = double.NaN },
            new(MacroF1: 0.7, Loss: 2) { Accuracy = 0.75, Auc = 0.2 },
            new(MacroF1: 0.6, Loss: 1) { Accuracy = 0.5, Auc = 0.9 },
        ];
        if (metric == Metric.Auc) scores[0] = scores[0] with { Auc = 0.3 };
        var stage = FindChoice(Plan.Build(Read("anchor: best-probe"))) with { Metric = metric };
        var inputs = scores.Select(score => new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Score] = StageFiles.Write(score),
        }));

        var choice = ChooseAnchorStage.Read(await stage.ExecuteAsync([.. inputs], context: null!, Cancellation));

        Assert.Equal(expected, choice.Index);
        Assert.Equal(scores.Select(score => score.Get(metric)), choice.Scores);
    }

    [Fact]
    public void It_is_the_default()
    {
        var stages = Plan.Build(Read("")).Stages.Select(stage => stage.Key);

        Assert.Equal(Plan.Build(Read("anchor: best-probe")).Stages.Select(stage => stage.Key), stages);
    }

    [Fact]
    public void Only_methods_that_need_an_anchor_have_other_stages_than_with_a_named_one()
    {
        var named = Plan.Build(Read("anchor: lesions"));
        var chosen = Plan.Build(Read("anchor: best-probe"));

        foreach (var (one, other) in named.Trials.Zip(chosen.Trials))
        {
            var isSame = WithoutAnchor.Contains(one.Method.Method.Name);
            Assert.Equal(isSame, one.Predictions.Key == other.Predictions.Key);
            Assert.Equal(!isSame, other.Stages.OfType<ChooseAnchorStage>().Any());
        }
        Assert.Single(chosen.Stages.OfType<ChooseAnchorStage>());
        // What the rows of restored sources start from is what is scored, so with them nothing is probed a second time.
        var merges = chosen.Trials
            .Where(trial => trial.Method.Method.Name == "restored")
            .SelectMany(trial => trial.Stages)
            .OfType<MergeStage>();
        Assert.Equal(
            merges.Select(merge => merge.Key).Distinct().Order(),
            FindChoice(chosen).Probes.OfType<ScoreProbeStage>().Select(probe => probe.Model.Key).Order());
        var summary = PlanSummary.Of(chosen);
        Assert.Equal("best-probe", summary.Scenarios[0].Anchor);
        Assert.Equal(FindChoice(chosen).Key, PlanSummary.Read(summary.Write()).Scenarios[0].AnchorChoice);
        Assert.Null(PlanSummary.Of(named).Scenarios[0].AnchorChoice);
    }

    /// <summary>Methods that replace the partners or take the anchor alone included.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("activations")]
    public async Task A_chosen_anchor_gives_the_bytes_that_the_same_source_gives_by_name(string alignment)
    {
        var store = new MemoryStageStore();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var methods = $"alignment: {alignment}\nmethods: [medmerge, average, restored, untrained-partner, scrambled-partner, self-scale]";
        var chosen = Plan.Build(Read($"anchor: best-probe\n{methods}"));
        await RunAsync(chosen);
        var summary = PlanSummary.Of(chosen);
        var result = await SweepResult.ReadAsync(summary, summary.Trials, new Dictionary<int, MissingState>(), store, Cancellation);
        var choice = result.Scenarios[0].AnchorChoice!;
        Assert.Equal(choice.Scores.Max(), choice.Scores[choice.Index]);
        Assert.True(choice.Index > 0, string.Join(", ", choice.Scores)); // or it would be the default
        await CheckScoresAsync(choice.Scores);

        var source = summary.Scenarios[0].Sources[choice.Index].Name;
        var named = Plan.Build(Read($"anchor: {source}\n{methods}"));
        await RunAsync(named);

        foreach (var (one, other) in chosen.Trials.Zip(named.Trials))
        {
            foreach (var output in one.Parts.Outputs)
                Assert.Equal(await ReadAsync(other.FindOutput(output.Role)!), await ReadAsync(output));
            Assert.Equal(await ReadPredictionsAsync(other), await ReadPredictionsAsync(one));
        }

        Assert.Contains(
            $"The anchor is {source}, whose linear probe is best on validation (macro F1: vessels ",
            ComparisonTable.Render(result),
            StringComparison.Ordinal);
        var json = JsonNode.Parse(ResultFiles.ToJson(result))!;
        Assert.Equal("best-probe", (string?)json["anchor"]);
        Assert.Equal(source, (string?)json["anchorChoice"]!["source"]);
        Assert.Equal(choice.Scores[2], (double)json["anchorChoice"]!["scores"]!["opacities"]!);
        var column = TrialTable.Of(result).Single(column => column.Name == "anchor");
        Assert.All(column.Values, value => Assert.Equal(source, value));

        async Task RunAsync(Plan plan)
        {
            foreach (var trial in plan.Trials) await runner.OutputAsync(trial.Predictions, (_, _) => { }, Cancellation);
        }

        async Task<byte[]> ReadPredictionsAsync(Trial trial) =>
            await store.GetFileAsync(trial.Predictions.Key, StageFiles.Predictions, Cancellation);

        async Task<byte[]> ReadAsync(TrialOutput output) => await store.GetFileAsync(output.Stage.Key, output.Artefact, Cancellation);

        // The first epoch of a restored source validates the model that it starts from.
        async Task CheckScoresAsync(IReadOnlyList<double> scores)
        {
            foreach (var (trial, score) in chosen.Trials.Where(trial => trial.Method.Method.Name == "restored").Zip(scores))
            {
                var history = await ReadAsync(trial.FindOutput(OutputRole.FineTuneHistory)!);
                Assert.Equal(score, StageFiles.Read<List<EpochRecord>>(history, StageFiles.History)[0].Validation.MacroF1);
            }
        }
    }

    [Fact]
    public void All_sets_of_sources_are_allowed_and_a_frozen_specification_gives_the_same_trials()
    {
        var specification = Read("anchor: best-probe\nsourceSets: pairs");

        var plan = Plan.Build(specification);
        var copy = Plan.Build(FrozenSpecification.Read(FrozenSpecification.Write(specification)));

        Assert.Equal(3, plan.Scenarios.Count);
        Assert.All(plan.Scenarios, scenario => Assert.Null(scenario.Anchor));
        Assert.Equal(3, plan.Stages.OfType<ChooseAnchorStage>().Count());
        Assert.Equal(3, plan.Stages.OfType<ScoreProbeStage>().Count()); // each source is scored once for all sets
        Assert.Equal(plan.Trials.Select(trial => trial.Predictions.Key), copy.Trials.Select(trial => trial.Predictions.Key));
    }

    [Fact]
    public void A_source_with_the_name_of_the_rule_is_refused()
    {
        var yaml = Yaml.Replace("name: lesions", "name: best-probe", StringComparison.Ordinal) + "anchor: best-probe";
        var error = Assert.ThrowsAny<InputException>(() => SpecificationReader.Read(yaml, "test", []));
        Assert.Contains("line 12: 'anchor' is 'best-probe', which is the name of a source too", error.Message, StringComparison.Ordinal);
    }

    private static ChooseAnchorStage FindChoice(Plan plan) => plan.Stages.OfType<ChooseAnchorStage>().Single();

    private static Specification Read(string more) => SpecificationReader.Read(Yaml + more, "test", []);
}

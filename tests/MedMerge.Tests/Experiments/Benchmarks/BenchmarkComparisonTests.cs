using MedMerge.Experiments.Benchmarks;
using MedMerge.Statistics;
using static MedMerge.Tests.Experiments.Benchmarks.BenchmarkRuns;

namespace MedMerge.Tests.Experiments.Benchmarks;

/// <summary>What is made of two runs.</summary>
public sealed class BenchmarkComparisonTests
{
    private static readonly BenchmarkRun Before = Create("a", predictions: ["p", "q"]);

    [Fact]
    public void A_first_run_and_an_unchanged_one_have_no_findings()
    {
        var first = Judge(Before, null);
        Assert.Null(first.Baseline);
        Assert.False(first.IsFlagged || first.IsUnchanged);

        var again = Judge(Before with { Id = "b" }, Before);
        Assert.Equal("a", again.Baseline);
        Assert.True(again.IsUnchanged);
        Assert.False(again.IsFlagged);
        Assert.Empty(again.Changes);
    }

    [Fact]
    public void A_run_of_other_code_is_not_unchanged_though_its_plan_is_the_same()
    {
        var rebuilt = Create("b", predictions: ["p", "r"]) with { Code = Before.Code with { Build = "other" } };
        var verdict = Judge(rebuilt, Before);
        Assert.False(verdict.IsUnchanged);
        Assert.Empty(verdict.Findings);
    }

    [Fact]
    public void Each_regression_is_a_sentence_with_its_interval()
    {
        var score = new ScoreChange("breast", "medmerge", Metric.MacroF1, 5, new Interval(-0.041, -0.06, -0.022), PValue: 0.001);
        var time = new StageChange("fine-tune", 5, 100, 150, new Interval(1.5, 1.4, 1.6));
        var missing = Create("b", plan: "other", predictions: ["p"]);

        var verdict = BenchmarkComparison.Judge(missing, Before, [score], [time], slower: 0.2);

        Assert.Equal(
            [
                "1 of 2 trials has no result.",
                "medmerge on breast: macro F1 −4.1 points (95 % interval −6.0 to −2.2, adjusted p = 0.0010).",
                "'fine-tune' takes 1.50 times as long (95 % interval 1.40 to 1.60) for the same work; 1.20 is allowed.",
            ],
            verdict.Findings.Select(finding => finding.Text));
        Assert.Empty(BenchmarkComparison.Judge(Before with { Id = "b" }, Before, [], [time], slower: 0.4).Findings);
    }

    [Theory]
    [InlineData(-0.06, -0.022, 0.06, false)]
    [InlineData(-0.06, 0.001, 0.01, false)]
    [InlineData(0.022, 0.06, 0.01, false)]
    [InlineData(double.NaN, double.NaN, 1.0, false)]
    [InlineData(-0.06, -0.022, 0.05, true)]
    public void A_score_is_worse_where_interval_and_adjusted_test_say_so(double low, double high, double p, bool isWorse) =>
        Assert.Equal(isWorse, new ScoreChange("s", "m", Metric.Auc, 5, new Interval((low + high) / 2, low, high), p).IsWorse);

    [Fact]
    public void Equal_inputs_that_gave_other_bytes_and_a_failed_sweep_are_found()
    {
        var other = Judge(Create("b", predictions: ["p", "r"]), Before);
        Assert.Equal(FindingKind.OtherBytes, Assert.Single(other.Findings).Kind);
        var before = Before with { Work = "work" };
        var recomputed = Create("b", plan: "other", predictions: ["p", "r"]) with { Work = "work" };
        Assert.Equal(FindingKind.OtherBytes, Assert.Single(Judge(recomputed, before).Findings).Kind);
        var code = recomputed.Code with { Build = "other" };
        Assert.Empty(Judge(recomputed with { Code = code }, before).Findings); // other code may give other bytes
        Assert.Empty(Judge(recomputed with { Work = "other" }, before).Findings);
        var failed = Judge(Create("b", plan: "other") with { Failure = "why" }, Before);
        Assert.Equal("The sweep failed: why", Assert.Single(failed.Findings).Text);
    }

    [Fact]
    public void What_changed_is_named_with_both_values()
    {
        var after = Create("b", plan: "other", predictions: ["r", "s"]).With(scenario => scenario with
        {
            TargetHash = "other",
            Sources = Source("other"),
            Settings = new Dictionary<string, string> { ["fineTune.learningRate"] = "0.03", ["added"] = "1" },
        });
        after = after with { Code = after.Code with { Packages = new Dictionary<string, string> { ["TorchSharp"] = "2" } } };

        BenchmarkChange[] expected =
        [
            new("package TorchSharp", "1", "2"),
            new("target", "BreastMNIST hash", "BreastMNIST other"),
            new("source photographs", "key", "other"),
            new("fineTune.learningRate", "0.001", "0.03"),
            new("added", null, "1"),
        ];
        Assert.Equal(expected, BenchmarkChanges.Find(Before, after));
    }

    private static BenchmarkVerdict Judge(BenchmarkRun run, BenchmarkRun? baseline) =>
        BenchmarkComparison.Judge(run, baseline, [], [], BenchmarkComparison.DefaultSlower);
}

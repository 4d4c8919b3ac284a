using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Merging;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tests.Experiments;

namespace MedMerge.Tests.Reporting;

public class ComparisonTableTests
{
    private static readonly Interval Score = new(0.8, 0.7, 0.9);
    private static readonly Interval Gain = new(0.05, 0.01, 0.09);
    private static readonly PairedBootstrap.Differences Gains = new(Gain, Gain, new Interval(-0.02, -0.05, 0.01));
    private static readonly MethodSummary Proposed = new(SmallResult.Row("medmerge"), Score, Score, Score, Gains);
    private static readonly MethodSummary Rival = new(SmallResult.Row("fine-tune", "a"), Score, Score, Score, Difference: null);
    private static readonly MethodSummary Control = new(SmallResult.Row("self-scale"), Score, Score, Score, Gains);
    private static readonly ScenarioSummary TwoSeeds = SmallResult.Scenario with { Seeds = [0, 1] };

    [Fact]
    public void The_table_is_in_per_cent_with_the_verdict_and_the_certificate_below()
    {
        var result = Create(TwoSeeds, SmallResult.Certificate(3.14e-7), Proposed, Rival, Control);

        var expected = $"""
            small: resnet20 on scans, 4 test images, 2 seeds, 32 passes over the training images for every method
            Sources: a (a.safetensors), b (pretrained on cells)
            Settings: threads 1; defaults otherwise

            | method               |    macro F1 |    accuracy |         AUC |              Δ F1 |             Δ AUC |
            | -------------------- | ----------: | ----------: | ----------: | ----------------: | ----------------: |
            | medmerge             | 80.0 ± 10.0 | 80.0 ± 10.0 | 80.0 ± 10.0 | +5.0 [+1.0, +9.0] | −2.0 [−5.0, +1.0] |
            | fine-tune a          | 80.0 ± 10.0 | 80.0 ± 10.0 | 80.0 ± 10.0 |                 – |                 – |
            | self-scale (control) | 80.0 ± 10.0 | 80.0 ± 10.0 | 80.0 ± 10.0 | +5.0 [+1.0, +9.0] | −2.0 [−5.0, +1.0] |

            In per cent: mean and 95 % interval over seeds. Δ: paired difference to the best single source (fine-tune a), with its 95 %
            """.Trim() + " bootstrap interval over seeds and test images.\n\n" + Verdict.Of(result) + "\n\n"
            + "Certificate: over all merges the folded model differs from its weighted features by at most 3.1e-7 of a layer's root mean "
            + "square (conv1); it holds (limit 1e-5).\n";
        Assert.Equal(expected, ComparisonTable.Render(result));
    }

    [Fact]
    public void One_seed_has_no_interval_over_seeds()
    {
        var one = new Interval(0.8, double.NaN, double.NaN);

        var table = ComparisonTable.Render(Create(
            SmallResult.Scenario, certificate: null, Proposed with { MacroF1 = one, Accuracy = one, Auc = one }, Rival));

        Assert.Contains("4 test images, 1 seed, ", table, StringComparison.Ordinal);
        Assert.Matches(@"\| medmerge +\| +80\.0 \| +80\.0 \| +80\.0 \|", table);
        Assert.Contains("bootstrap interval over test images.", table, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_run_is_said()
    {
        var table = ComparisonTable.Render(Create(TwoSeeds, certificate: null, Control with { Difference = null }));

        Assert.Contains("Δ: no single source was run to compare with.", table, StringComparison.Ordinal);
        Assert.Contains("Nothing was merged.", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_that_does_not_hold_is_called_out()
    {
        var table = ComparisonTable.Render(Create(TwoSeeds, SmallResult.Certificate(2e-5), Proposed, Rival));

        Assert.Contains("at most 2.0e-5 of", table, StringComparison.Ordinal);
        Assert.Contains("(conv1); IT DOES NOT HOLD (limit 1e-5).", table, StringComparison.Ordinal);
    }

    [Fact]
    public void The_tables_of_several_scenarios_follow_each_other()
    {
        var first = Create(TwoSeeds, certificate: null, Proposed, Rival);
        var second = Create(TwoSeeds with { Name = "other" }, certificate: null, Proposed, Rival);
        var plan = SmallResult.Plan([first.Scenario, second.Scenario]);

        var text = ComparisonTable.Render(new SweepResult(plan, [first, second]));

        Assert.Equal(ComparisonTable.Render(first) + "\n" + ComparisonTable.Render(second), text);
    }

    private static ScenarioResult Create(ScenarioSummary scenario, Certificate? certificate, params MethodSummary[] summaries) => new(
        scenario,
        Trials: certificate is null ? [] : [SmallResult.Result(SmallResult.Trial(1, "medmerge"), right: 4, certificate)],
        BestSingleSource: summaries.FirstOrDefault(summary => summary == Rival)?.Method,
        Summaries: summaries,
        Controls: []);
}

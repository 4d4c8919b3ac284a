using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Merging;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tests.Experiments;
using MedMerge.Training;

namespace MedMerge.Tests.Reporting;

public class ComparisonTableTests
{
    private static readonly Interval Score = new(0.8, 0.7, 0.9);
    private static readonly Interval Gain = new(0.05, 0.01, 0.09);
    private static readonly MethodSummary Proposed = SmallResult.Summary(SmallResult.Row("medmerge"), Score, Gain, seeds: 2);
    private static readonly MethodSummary Rival = SmallResult.Summary(SmallResult.Row("fine-tune", "a"), Score, seeds: 2);
    private static readonly MethodSummary Control = SmallResult.Summary(SmallResult.Row("self-scale"), Score, Gain, seeds: 2);
    private static readonly ScenarioSummary TwoSeeds = SmallResult.Scenario with { Seeds = [0, 1] };

    [Fact]
    public void The_table_is_in_per_cent_with_the_verdict_and_the_certificate_below()
    {
        var result = Create(TwoSeeds, SmallResult.Certificate(3.14e-7), Proposed, Rival, Control);

        var expected = "small: resnet20 on scans, 4 test images, 2 seeds, 32 passes over the training images for every method, "
            + $"""
            the best of 3 learning rates on validation
            Sources: a (a.safetensors), b (pretrained on cells)
            Settings: defaults

            | method               |    macro F1 |    accuracy |         AUC |              Δ F1 |             Δ AUC |
            | -------------------- | ----------: | ----------: | ----------: | ----------------: | ----------------: |
            | medmerge             | 80.0 ± 10.0 | 80.0 ± 10.0 | 80.0 ± 10.0 | +5.0 [+1.0, +9.0] | +5.0 [+1.0, +9.0] |
            | fine-tune a          | 80.0 ± 10.0 | 80.0 ± 10.0 | 80.0 ± 10.0 |                 – |                 – |
            | self-scale (control) | 80.0 ± 10.0 | 80.0 ± 10.0 | 80.0 ± 10.0 | +5.0 [+1.0, +9.0] | +5.0 [+1.0, +9.0] |

            In per cent: mean and 95 % interval over seeds. Δ: paired difference to the single source that is best on validation
            """.Trim() + " (fine-tune a for macro F1 and AUC), with its 95 % interval over seeds and test images.\n"
            + "Seeds vary what a trial draws: batches, augmentation, the partners of controls. Sources, the split and the "
            + "training images are the same for all.\n\n" + Verdict.Of(result) + "\n\n"
            + "Certificate: over all merges the folded model differs from its weighted features by at most 3.1e-7 of a layer's root mean "
            + "square (conv1); it holds (limit 1e-5).\n";
        Assert.Equal(expected, ComparisonTable.Render(result));
    }

    [Fact]
    public void One_seed_has_no_interval_over_seeds()
    {
        var one = new Interval(0.8, double.NaN, double.NaN);

        var table = ComparisonTable.Render(Create(
            SmallResult.Scenario, certificate: null, SmallResult.Summary(Proposed.Method, one, Gain), Rival));

        Assert.Contains("4 test images, 1 seed, ", table, StringComparison.Ordinal);
        Assert.Matches(@"\| medmerge +\| +80\.0 \| +80\.0 \| +80\.0 \|", table);
        Assert.Contains("interval over test images.", table, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_run_is_said()
    {
        var table = ComparisonTable.Render(Create(TwoSeeds, certificate: null, SmallResult.Summary(Control.Method, Score, seeds: 2)));

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
    public void The_scenarios_metric_comes_first_and_a_row_without_all_seeds_says_so()
    {
        var byAuc = TwoSeeds with { Settings = TwoSeeds.Settings with { FineTune = new FineTuneSettings { Metric = Metric.Auc } } };
        var partial = SmallResult.Summary(SmallResult.Row("scratch"), Score, Gain, seeds: 1);

        var table = ComparisonTable.Render(Create(byAuc, certificate: null, Proposed, Rival, partial));

        Assert.Matches(@"\| method +\| +AUC \| +macro F1 \| +accuracy \| +Δ AUC \| +Δ F1 \|", table);
        Assert.Contains("| scratch (1 of 2 seeds) |", table, StringComparison.Ordinal);
        Assert.Contains("(fine-tune a for AUC and macro F1)", table, StringComparison.Ordinal);
    }

    [Fact]
    public void The_tables_of_several_scenarios_follow_each_other_with_what_they_say_together_at_the_end()
    {
        var first = Create(TwoSeeds, certificate: null, Proposed, Rival);
        var second = Create(TwoSeeds with { Name = "other" }, certificate: null, Proposed, Rival);
        var plan = SmallResult.Plan([first.Scenario, second.Scenario]);

        var text = ComparisonTable.Render(new SweepResult(plan, [first, second], new Dictionary<int, MissingState>()));

        Assert.StartsWith(ComparisonTable.Render(first) + "\n" + ComparisonTable.Render(second), text, StringComparison.Ordinal);
        Assert.Contains("\nAll 2 scenarios together\n", text, StringComparison.Ordinal);
    }

    private static ScenarioResult Create(ScenarioSummary scenario, Certificate? certificate, params MethodSummary[] summaries) => new(
        scenario,
        Trials: certificate is null ? [] : [SmallResult.Result(SmallResult.Trial(1, "medmerge"), right: 4, certificate)],
        Rivals: summaries.Contains(Rival) ? SmallResult.Rivals(Rival.Method) : new Dictionary<Metric, MethodRow>(),
        Summaries: summaries,
        Comparisons: []);
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments;

public class VerdictTests
{
    private const string Transfer = "what helps is what the partner has learned";

    private static readonly Interval Above = new(0.05, 0.01, 0.09);
    private static readonly Interval Around = new(0.01, -0.02, 0.04);
    private static readonly Interval Below = new(-0.05, -0.09, -0.01);

    private static readonly ScenarioSummary TwoSeeds = SmallResult.Scenario with { Seeds = [0, 1] };

    [Fact]
    public void Transfer_is_claimed_where_merging_helped_and_beat_every_control()
    {
        Assert.Contains(Transfer, Say(Above, untrained: Above, selfScale: Above), StringComparison.Ordinal);
        Assert.Contains(Transfer, Say(Above, untrained: Above), StringComparison.Ordinal);
    }

    [Fact]
    public void Otherwise_transfer_is_spoken_of_and_not_claimed()
    {
        string[] verdicts =
        [
            Say(Above, untrained: Around, selfScale: Above),
            Say(Above, untrained: Above, selfScale: Around),
            Say(Above, selfScale: Above),
            Say(Above),
            Say(Around, untrained: Above, selfScale: Above),
            Say(Below, untrained: Above, selfScale: Above),
            Say(Above, untrained: Below),
        ];

        Assert.All(verdicts, verdict => Assert.DoesNotContain(Transfer, verdict, StringComparison.Ordinal));
        Assert.All(verdicts, verdict => Assert.Contains("transfer", verdict, StringComparison.Ordinal));
    }

    [Fact]
    public void A_control_that_is_not_measurably_worse_is_called_that_and_not_as_good()
    {
        var verdict = Say(Around, untrained: Around, selfScale: Above);

        const string untrained = "The untrained partner was not measurably worse: +1.0 points (95 % interval −2.0 to +4.0)";
        Assert.Contains(untrained, verdict, StringComparison.Ordinal);
        Assert.Contains("It beat the self-scaled anchor by +5.0 points", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void The_outcome_comes_first()
    {
        Assert.StartsWith("Merging helped", Say(Above), StringComparison.Ordinal);
        Assert.StartsWith("Merging did not help measurably", Say(Around), StringComparison.Ordinal);
        Assert.StartsWith("Merging hurt", Say(Below), StringComparison.Ordinal);
        Assert.Contains("The untrained partner was better: ", Say(Above, untrained: Below), StringComparison.Ordinal);
    }

    [Fact]
    public void One_seed_alone_is_said_to_be_one()
    {
        var one = TwoSeeds with { Seeds = [0] };

        var verdict = Say(Above, untrained: Above, scenario: one);

        Assert.Contains("With one seed the intervals are over test images alone", verdict, StringComparison.Ordinal);
        Assert.DoesNotContain("With one seed", Say(Above, untrained: Above), StringComparison.Ordinal);
    }

    private static string Say(
        Interval toBest,
        Interval? untrained = null,
        Interval? selfScale = null,
        ScenarioSummary? scenario = null)
    {
        var controls = new[] { ("untrained-partner", untrained), ("self-scale", selfScale) }
            .Where(control => control.Item2 is not null)
            .Select(control => new ControlComparison(SmallResult.Row(control.Item1), SameForAll(control.Item2!)));
        var score = new Interval(0.8, 0.7, 0.9);
        var proposed = new MethodSummary(SmallResult.Row("medmerge"), score, score, score, SameForAll(toBest));
        return Verdict.Of(new ScenarioResult(
            scenario ?? TwoSeeds,
            Trials: [],
            BestSingleSource: SmallResult.Row("fine-tune", "a"),
            Summaries: [proposed],
            Controls: [.. controls]));
    }

    private static PairedBootstrap.Differences SameForAll(Interval interval) => new(interval, interval, interval);
}

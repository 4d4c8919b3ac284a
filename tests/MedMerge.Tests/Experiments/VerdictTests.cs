using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments;

public class VerdictTests
{
    private const string Transfer = "consistent with the partner's having learned what helps";

    private static readonly Interval Above = new(0.05, 0.01, 0.09);
    private static readonly Interval Around = new(0.01, -0.02, 0.04);
    private static readonly Interval Below = new(-0.05, -0.09, -0.01);

    private static readonly Interval Small = new(0.002, -0.004, 0.008);

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

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Fewer_than_five_seeds_give_no_verdict(int seeds)
    {
        var verdict = Say(Above, untrained: Above, seeds: seeds);

        Assert.StartsWith("No verdict: it takes 5 seeds", verdict, StringComparison.Ordinal);
        Assert.Contains("So far: +5.0 points", verdict, StringComparison.Ordinal);
        Assert.Equal(seeds == 1, verdict.Contains("over test images alone", StringComparison.Ordinal));
        Assert.DoesNotContain("helped", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void No_difference_is_said_only_within_a_named_margin()
    {
        Assert.StartsWith("Merging did not help measurably", Say(Small), StringComparison.Ordinal);
        Assert.StartsWith(
            "Merging made no difference that matters, by less than the margin of 2.0 points",
            Say(Small, margin: 0.02),
            StringComparison.Ordinal);
        Assert.StartsWith("Merging did not help measurably", Say(Around, margin: 0.02), StringComparison.Ordinal);
    }

    [Fact]
    public void A_baseline_that_is_better_or_as_good_is_not_passed_over()
    {
        Assert.Contains("But the scratch was better", Say(Above, baseline: ("scratch", Below)), StringComparison.Ordinal);
        Assert.DoesNotContain("scratch", Say(Above, baseline: ("scratch", Around)), StringComparison.Ordinal);
        Assert.Contains(
            "learning the kernel weights added nothing measurable",
            Say(Above, baseline: ("average", Around)),
            StringComparison.Ordinal);
        Assert.DoesNotContain("average", Say(Above, baseline: ("average", Above)), StringComparison.Ordinal);
    }

    private static string Say(
        Interval toBest,
        Interval? untrained = null,
        Interval? selfScale = null,
        (string Method, Interval Difference)? baseline = null,
        int seeds = 5,
        double margin = 0)
    {
        var rival = SmallResult.Row("fine-tune", "a");
        var score = new Interval(0.8, 0.7, 0.9);
        var comparisons = new List<MethodComparison> { new(rival, toBest, seeds) };
        if (untrained is not null) comparisons.Add(new(SmallResult.Row("untrained-partner"), untrained, seeds));
        if (selfScale is not null) comparisons.Add(new(SmallResult.Row("self-scale"), selfScale, seeds));
        if (baseline is { } other) comparisons.Add(new(SmallResult.Row(other.Method), other.Difference, seeds));
        return Verdict.Of(new ScenarioResult(
            SmallResult.Scenario with { Settings = SmallResult.Scenario.Settings with { EquivalenceMargin = margin } },
            Trials: [],
            SmallResult.Rivals(rival),
            Summaries: [SmallResult.Summary(SmallResult.Row("medmerge"), score, toBest, seeds)],
            comparisons));
    }
}

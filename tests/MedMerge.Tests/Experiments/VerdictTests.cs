using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments;

public class VerdictTests
{
    private static readonly Interval Above = new(0.05, 0.01, 0.09), Around = new(0.01, -0.02, 0.04), Below = new(-0.05, -0.09, -0.01);

    private static readonly ScenarioSummary TwoSeeds = new(
        "it", "resnet20", new TargetSummary("t", IsSynthetic: false, "0", 10, [0.5], [0.5]), [], "a", new ScenarioSettings(), Seeds: [0, 1]);

    [Fact]
    public void Transfer_is_spoken_of_only_where_merging_helped_and_beat_every_control()
    {
        const string transfer = "what helps is what the partner has learned";
        Assert.Contains(transfer, Say(Above, untrained: Above, selfScale: Above), StringComparison.Ordinal);
        Assert.Contains(transfer, Say(Above, untrained: Above), StringComparison.Ordinal);
        foreach (var said in new[]
                 {
                     Say(Above, untrained: Around, selfScale: Above), Say(Above, untrained: Above, selfScale: Around), Say(Above, selfScale: Above), Say(Above),
                     Say(Around, untrained: Above, selfScale: Above), Say(Below, untrained: Above, selfScale: Above), Say(Above, untrained: Below),
                 })
        {
            Assert.DoesNotContain(transfer, said, StringComparison.Ordinal);
            Assert.Contains("transfer", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_control_that_is_not_measurably_worse_is_called_that_and_not_as_good()
    {
        var said = Say(Around, untrained: Around, selfScale: Above);
        Assert.Contains("The untrained partner was not measurably worse: +1.0 points (95 % interval −2.0 to +4.0)", said, StringComparison.Ordinal);
        Assert.Contains("It beat the self-scaled anchor by +5.0 points", said, StringComparison.Ordinal);
        Assert.StartsWith("Merging did not help measurably", said, StringComparison.Ordinal);
        Assert.Contains("The untrained partner was better: ", Say(Above, untrained: Below), StringComparison.Ordinal);
        Assert.StartsWith("Merging hurt", Say(Below), StringComparison.Ordinal);
    }

    [Fact]
    public void One_seed_alone_is_said_to_be_one()
    {
        var one = TwoSeeds with { Seeds = [0] };
        Assert.Contains("With one seed the intervals are over test images alone", Say(Above, untrained: Above, scenario: one), StringComparison.Ordinal);
        Assert.DoesNotContain("With one seed", Say(Above, untrained: Above), StringComparison.Ordinal);
    }

    private static string Say(Interval toBest, Interval? untrained = null, Interval? selfScale = null, ScenarioSummary? scenario = null)
    {
        static PairedBootstrap.Differences All(Interval interval) => new(interval, interval, interval);
        static MethodRow Row(string name, string? source = null) => new(MethodRegistry.Get(name), source);
        var score = new Interval(0.8, 0.7, 0.9);
        var controls = new[] { ("untrained-partner", untrained), ("self-scale", selfScale) }
            .Where(control => control.Item2 is not null)
            .Select(control => new ControlComparison(Row(control.Item1), All(control.Item2!)));
        var proposed = new MethodSummary(Row("medmerge"), score, score, score, All(toBest));
        return Verdict.Of(new ScenarioResult(scenario ?? TwoSeeds, [], Row("fine-tune", "a"), [proposed], [.. controls]));
    }
}

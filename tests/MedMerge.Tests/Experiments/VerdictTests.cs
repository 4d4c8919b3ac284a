using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments;

public class VerdictTests
{
    private static readonly Interval Above = new(0.05, 0.01, 0.09), Around = new(0.01, -0.02, 0.04), Below = new(-0.05, -0.09, -0.01);

    private static readonly Plan TwoSeeds = Plan.Build(SpecificationReader.Read("""
        target: { data: 'phantom:lesions', trainImages: 24 }
        architecture: resnet20
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }
        seeds: 2
        """, "it", []));

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
        var one = TwoSeeds with { Specification = TwoSeeds.Specification with { Seeds = [0] } };
        Assert.Contains("With one seed the intervals are over test images alone", Say(Above, untrained: Above, plan: one), StringComparison.Ordinal);
        Assert.DoesNotContain("With one seed", Say(Above, untrained: Above), StringComparison.Ordinal);
    }

    private static string Say(Interval toBest, Interval? untrained = null, Interval? selfScale = null, Plan? plan = null)
    {
        static PairedBootstrap.Differences All(Interval interval) => new(interval, interval, interval);
        var score = new Interval(0.8, 0.7, 0.9);
        var controls = new[] { (MethodKind.UntrainedPartner, untrained), (MethodKind.SelfScale, selfScale) }
            .Where(control => control.Item2 is not null).Select(control => new ControlComparison(new Method(control.Item1, null), All(control.Item2!)));
        return Verdict.Of(new ScenarioResult(plan ?? TwoSeeds, [], new Method(MethodKind.FineTune, "a"),
            [new MethodSummary(new Method(MethodKind.MedMerge, null), score, score, score, All(toBest))], [.. controls]));
    }
}

using System.Diagnostics;
using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;

namespace MedMerge.Tests.Experiments;

public class PlanTests
{
    private const int Seeds = 1000;

    private static readonly Plan Large = Plan.Build(SpecificationReader.Read($$"""
        target: { data: 'phantom:lesions', trainImages: 24 }
        architecture: resnet20
        width: 0.125
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }
        methods: [medmerge, average, lp-ft, self-scale]
        seeds: {{Seeds}}
        threads: 1
        """, "it", []));

    [Fact]
    public void What_takes_no_seed_is_made_once_for_all_seeds()
    {
        var stages = Large.Trials.SelectMany(trial => trial.Stages).ToHashSet<Stage>(ReferenceEqualityComparer.Instance);
        Assert.Equal(5, stages.OfType<ProbeStage>().Count()); // one for each method and, with lp-ft, source
        Assert.Equal(5 * Seeds, Large.Trials.Count);
    }

    [Fact]
    public void The_table_of_a_large_plan_does_not_take_the_square_of_its_size()
    {
        var clock = Stopwatch.StartNew();
        var table = PlanTable.Render(Large, _ => false);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"It took {clock.Elapsed}.");
        Assert.Contains("up to 4000", table, StringComparison.Ordinal); // the anchor's pretraining
    }
}

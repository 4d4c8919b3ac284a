using System.Diagnostics;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Reporting;
using MedMerge.Tensors;
using MedMerge.Tests.Models;

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

    /// <summary>What was checked when it was submitted is not checked again on every node: its weight files are not even read.</summary>
    [Fact]
    public void The_plan_of_a_frozen_specification_has_the_same_stages_without_reading_weights()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-plan-").FullName;
        try
        {
            foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
            {
                using var weights = RandomModels.Weights(Architectures.Create("resnet20", 0.125), seed, classes: 3);
                File.WriteAllBytes(Path.Combine(folder, name + ".safetensors"), Safetensors.Write(weights));
            }
            var specification = SpecificationReader.Read("""
                target: { data: 'phantom:lesions', trainImages: 24 }
                architecture: resnet20
                width: 0.125
                sources:
                  - { name: a, weights: a.safetensors }
                  - { name: b, weights: b.safetensors }
                seeds: 1
                threads: 1
                """, "it", [folder]);
            var frozen = FrozenSpecification.Freeze(specification, path => FrozenSpecification.Address(File.ReadAllBytes(path), path));
            var plan = Plan.BuildFrozen(frozen, (location, kind) => throw new InvalidOperationException($"The {kind} '{location}' is read."));
            Assert.Equal(Plan.Build(specification).Stages.Select(stage => stage.Key), plan.Stages.Select(stage => stage.Key));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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

using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Testing;

namespace MedMerge.Tests.Experiments;

/// <summary>What a search unfolds to.</summary>
public class SearchReaderTests
{
    private const string Over = """
          over:
            fineTune.learningRate: { logUniform: [0.0001, 0.1] }
            kernelWeights.anchorWeight: { uniform: [0.5, 0.9] }
            kernelWeights.batchSize: { uniform: [8, 16] }
            kernelWeights.start: [anchored, uniform]

        """;

    [Fact]
    public void Points_are_drawn_by_seed_from_ranges_and_lists()
    {
        var first = Read("  points: 20\n" + Over).Points!;
        Assert.Equal(20, first.Count);
        Assert.All(first, point => Assert.InRange(point.Settings.FineTune.LearningRate, 0.0001, 0.1));
        Assert.All(first, point => Assert.InRange(point.Settings.KernelWeights.BatchSize, 8, 16));
        Assert.True(first.Count(point => point.Settings.FineTune.LearningRate < 0.003) is > 3 and < 17); // the middle of the logarithms
        Assert.Equal(2, first.Select(point => point.Settings.KernelWeights.Start).Distinct().Count());
        Assert.Equal(first.Select(point => point.Name), Read("  points: 20\n" + Over).Points!.Select(point => point.Name));
        var others = Read("  points: 20\n  seed: 1\n" + Over).Points!;
        Assert.Empty(first.Select(point => point.Name).Intersect(others.Select(point => point.Name)));
        Assert.Equal(first.Take(5).Select(point => point.Name), Read("  points: 5\n" + Over).Points!.Select(point => point.Name));
    }

    [Fact]
    public void Lists_without_a_number_of_points_are_combined()
    {
        var points = Read("""
              over:
                fineTune.learningRate: [0.001, 0.01, 0.1]
                kernelWeights.start: [anchored, uniform]

            """).Points!;
        Assert.Equal(6, points.Count);
    }

    /// <summary>Two scenarios of the same settings would be one.</summary>
    [Fact]
    public void What_is_drawn_again_counts_once_and_what_is_listed_twice_is_refused()
    {
        var points = Read("  points: 30\n  over: { fineTune.batchSize: { uniform: [8, 10] } }\n").Points!;
        Assert.Equal([8, 9, 10], points.Select(point => point.Settings.FineTune.BatchSize).Order());

        var twice = Assert.ThrowsAny<InputException>(() => Read("  over: { fineTune.batchSize: [8, 16, 8] }\n"));
        Assert.Contains("'search.over.fineTune.batchSize' lists 8 twice", twice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_error_has_its_line()
    {
        var error = Assert.ThrowsAny<InputException>(() => Read("""
              points: 3
              halving: { factor: 1 }
              over:
                fineTune.learningRate: { logUniform: [0, 1] }
                kernelWeights.anchorweight: [0.5]
                kernelWeights.batchSize: 4
              fast: true

            """));
        string[] expected =
        [
            "line 3: 'search.halving.factor'",
            "line 5: 'fineTune.learningRate' must have two ends, the lower first and above 0",
            "line 6: there is no setting 'kernelWeights.anchorweight'",
            "line 7: 'kernelWeights.batchSize' must be a list of values",
            "line 8: ",
        ];
        Assert.All(expected, line => Assert.Contains(line, error.Message, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_range_needs_a_number_of_points_and_rungs_need_the_same_epochs()
    {
        var range = Assert.ThrowsAny<InputException>(() => Read("  over: { fineTune.learningRate: { uniform: [0.1, 0.2] } }\n"));
        Assert.Contains("say how many points to draw", range.Message, StringComparison.Ordinal);
        var epochs = Assert.ThrowsAny<InputException>(() => Read("  halving: {}\n  over: { fineTune.epochs: [4, 8] }\n"));
        Assert.Contains("can't be searched with 'halving'", epochs.Message, StringComparison.Ordinal);
        var both = Assert.ThrowsAny<InputException>(
            () => Read("  over: { fineTune.batchSize: [8, 16] }\nvary: { fineTune.epochs: [1, 2] }\n"));
        Assert.Contains("'vary' and 'search' are both there", both.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frozen_search_has_the_same_rungs()
    {
        var specification = Read("  halving: { factor: 2, epochs: 2 }\n  over: { fineTune.learningRate: [0.001, 0.01] }\n");
        var frozen = FrozenSpecification.Read(FrozenSpecification.Write(specification));
        Assert.Equal(new Halving(2, 2), frozen.Halving);
        Assert.True(frozen.IsSearch);
        Assert.Equal([2, 4, 8], new Halving(2, 2).GetRungs(9));
        Assert.Equal([2, 4], new Halving(2, 2).GetRungs(8));
        Assert.All(Plan.Build(specification).Trials, trial => Assert.Equal(2, trial.Parts.Rungs.Count)); // of 2 and 4 epochs, of 7
    }

    private static Specification Read(string search)
    {
        var builder = new SpecificationBuilder { Methods = "[scratch]", FineTune = "{ epochs: 5, batchSize: 8 }" };
        return SpecificationReader.Read($"search:\n{search}{builder.Yaml}", "test.yaml", []);
    }
}

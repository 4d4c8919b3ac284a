using System.Text.RegularExpressions;

namespace MedMerge.Testing;

/// <summary>What the tests run.</summary>
internal static class Specifications
{
    /// <summary>The quickstart with another number of seeds.</summary>
    public static string ReadQuickstart(int seeds) =>
        Regex.Replace(Repository.Read("examples/quickstart.yaml"), @"(?m)^seeds: \d+", $"seeds: {seeds}");

    /// <summary>Several trials with several shards, a few seconds of work.</summary>
    public static SpecificationBuilder Small { get; } = new()
    {
        Name = "small",
        Width = 0.25,
        Images = 64,
        SourceImages = 32,
        Methods = "[medmerge, lp-ft]",
        Parallel = 2,
        KernelWeights = "{ epochs: 4, batchSize: 16, shards: 4 }",
        FineTune = "{ epochs: 2, batchSize: 16, shards: 2 }",
    };

    /// <summary>One trial that learns its kernel weights for long enough to be disturbed.</summary>
    public static SpecificationBuilder Long { get; } = LearnFor(12);

    /// <summary>One trial whose fine-tuning is data-parallel, for long enough to be disturbed.</summary>
    public static SpecificationBuilder Tuned { get; } = Long with
    {
        Name = "tuned",
        KernelWeights = "{ epochs: 1, batchSize: 16, shards: 2 }",
        FineTune = "{ epochs: 10, batchSize: 16, shards: 4 }",
    };

    /// <summary>The least that has every kind of write in it.</summary>
    public static SpecificationBuilder Tiny { get; } = new()
    {
        SourceEpochs = 2,
        Methods = "[medmerge]",
        KernelWeights = "{ epochs: 3, batchSize: 8, shards: 2 }",
        FineTune = "{ epochs: 3, batchSize: 8 }",
    };

    /// <summary><see cref="Long"/> with another number of epochs.</summary>
    public static SpecificationBuilder LearnFor(int epochs) => new()
    {
        Name = "long",
        Width = 0.25,
        Images = 128,
        SourceImages = 32,
        Methods = "[medmerge]",
        KernelWeights = $"{{ epochs: {epochs}, batchSize: 16, shards: 4 }}",
        FineTune = "{ epochs: 1, batchSize: 16 }",
    };
}

namespace MedMerge.Cluster.Tests;

/// <summary>What the clusters of these tests run.</summary>
internal static class Specifications
{
    /// <summary>Several trials with several shards, a few seconds of work.</summary>
    public static string Small { get; } = Yaml("small", width: "0.25", images: 64, sourceImages: 32, sourceEpochs: 1, """
        methods: [medmerge, lp-ft]
        parallel: 2
        kernelWeights: { epochs: 4, batchSize: 16, shards: 4 }
        fineTune: { epochs: 2, batchSize: 16, shards: 2 }
        """);

    /// <summary>One trial that learns its weights for long enough to be disturbed.</summary>
    public static string Long { get; } = Yaml("long", width: "0.25", images: 128, sourceImages: 32, sourceEpochs: 1, """
        methods: [medmerge]
        kernelWeights: { epochs: 12, batchSize: 16, shards: 4 }
        fineTune: { epochs: 1, batchSize: 16 }
        """);

    /// <summary>One trial whose fine-tuning is data-parallel, for long enough to be disturbed.</summary>
    public static string Tuned { get; } = Yaml("tuned", width: "0.25", images: 128, sourceImages: 32, sourceEpochs: 1, """
        methods: [medmerge]
        kernelWeights: { epochs: 1, batchSize: 16, shards: 2 }
        fineTune: { epochs: 10, batchSize: 16, shards: 4 }
        """);

    /// <summary>The least that has every kind of write in it.</summary>
    public static string Tiny { get; } = Yaml("tiny", width: "0.125", images: 24, sourceImages: 24, sourceEpochs: 2, """
        methods: [medmerge]
        kernelWeights: { epochs: 3, batchSize: 8, shards: 2 }
        fineTune: { epochs: 3, batchSize: 8 }
        """);

    private static string Yaml(string name, string width, int images, int sourceImages, int sourceEpochs, string rest) => $$"""
        name: {{name}}
        target: { data: 'phantom:lesions', trainImages: {{images}} }
        architecture: resnet20
        width: {{width}}
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: {{sourceImages}}, epochs: {{sourceEpochs}} }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: {{sourceImages}}, epochs: {{sourceEpochs}} }
        seeds: 1
        threads: 1
        {{rest}}
        """;
}

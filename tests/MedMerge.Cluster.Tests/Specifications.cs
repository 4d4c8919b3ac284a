namespace MedMerge.Cluster.Tests;

/// <summary>What the clusters of these tests run.</summary>
internal static class Specifications
{
    /// <summary>Several trials with several shards, a few seconds of work.</summary>
    public const string Small = """
        name: small
        target: { data: 'phantom:lesions', trainImages: 64 }
        architecture: resnet20
        width: 0.25
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 32, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 32, epochs: 1 }
        methods: [medmerge, lp-ft]
        seeds: 1
        threads: 1
        parallel: 2
        weights: { epochs: 4, batchSize: 16, shards: 4 }
        fineTune: { epochs: 2, batchSize: 16 }
        """;

    /// <summary>One trial that learns its weights for long enough to be disturbed.</summary>
    public const string Long = """
        name: long
        target: { data: 'phantom:lesions', trainImages: 128 }
        architecture: resnet20
        width: 0.25
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 32, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 32, epochs: 1 }
        methods: [medmerge]
        seeds: 1
        threads: 1
        weights: { epochs: 12, batchSize: 16, shards: 4 }
        fineTune: { epochs: 1, batchSize: 16 }
        """;

    /// <summary>The least that has every kind of write in it.</summary>
    public const string Tiny = """
        name: tiny
        target: { data: 'phantom:lesions', trainImages: 24 }
        architecture: resnet20
        width: 0.125
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 2 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 2 }
        methods: [medmerge]
        seeds: 1
        threads: 1
        weights: { epochs: 3, batchSize: 8, shards: 2 }
        fineTune: { epochs: 3, batchSize: 8 }
        """;
}

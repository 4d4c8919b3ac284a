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
}

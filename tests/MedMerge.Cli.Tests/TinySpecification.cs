namespace MedMerge.Cli.Tests;

/// <summary>
/// A small comparison: two sources that are pretrained as part of the run, few synthetic images, narrow networks.
/// </summary>
internal static class TinySpecification
{
    /// <param name="methods">A list in YAML's flow style.</param>
    /// <param name="images">Training images of every data set.</param>
    /// <param name="epochs">Passes of kernel-weight learning and of fine-tuning.</param>
    public static string Yaml(string methods, int seeds = 1, int images = 24, int epochs = 1) => $$"""
        name: tiny
        target: { data: 'phantom:lesions', trainImages: {{images}} }
        architecture: resnet20
        width: 0.125
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: {{images}}, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: {{images}}, epochs: 1 }
        methods: {{methods}}
        seeds: {{seeds}}
        threads: 1
        kernelWeights: { epochs: {{epochs}}, batchSize: 8 }
        fineTune: { epochs: {{epochs}}, batchSize: 8 }
        """;
}

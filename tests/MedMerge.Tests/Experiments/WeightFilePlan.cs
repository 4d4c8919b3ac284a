using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;

namespace MedMerge.Tests.Experiments;

/// <summary>Plans on two sources <c>a</c> and <c>b</c> that are weight files, in a folder that is removed in the end.</summary>
internal sealed class WeightFilePlan : IDisposable
{
    public WeightFilePlan()
    {
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
        {
            using var weights = RandomModels.Weights(Architectures.Create("resnet20", 0.25), seed, classes: 3);
            File.WriteAllBytes(PathTo(name), Safetensors.Write(weights));
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("medmerge-weights-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string PathTo(string source) => Path.Combine(Folder, source + ".safetensors");

    /// <param name="more">Keys of the specification, a line each.</param>
    /// <param name="kernelWeights">More of the settings under that key.</param>
    public Plan Build(string more, string kernelWeights = "granularity: filter") => Plan.Build(SpecificationReader.Read(
        $$"""
        target: { data: 'phantom:lesions', trainImages: 24 }
        architecture: resnet20
        width: 0.25
        sources:
          - { name: a, weights: a.safetensors }
          - { name: b, weights: b.safetensors }
        kernelWeights: { epochs: 1, batchSize: 8, {{kernelWeights}} }
        fineTune: { epochs: 1, batchSize: 8 }
        learningRateTries: 1
        seeds: 1
        threads: 1
        {{more}}
        """,
        "test.yaml",
        [Folder]));
}

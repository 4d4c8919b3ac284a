using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge.Tests;

/// <summary>The code of docs/library.md; a test compares the two and runs this.</summary>
internal static class LibraryExample
{
    public static async Task LearnAsync(string photographs, string chest, string data, string folder)
    {
        #region learn
        await using var merger = new ModelMerger("cpu", threads: 2);
        var inputs = new MergeInputs
        {
            Architecture = "resnet20",
            Sources = [new SourceFile("photographs", photographs), new SourceFile("chest", chest)],
            Data = data,
        };
        var settings = new KernelWeightSettings { Epochs = 3, BatchSize = 16 };

        var merged = await merger.LearnAsync(inputs, settings, anchor: 0, seed: 1);

        await merged.SaveModelAsync(Path.Combine(folder, "merged.safetensors"));
        await merged.SaveKernelWeightsAsync(Path.Combine(folder, "kernel-weights.safetensors"));
        Console.WriteLine($"certified on {merged.Certificate!.Images} images: {merged.Certificate.Worst.Relative:0.0e+0}");
        for (var layer = 0; layer < merged.KernelWeights.Layers.Count; layer++)
        {
            var first = merged.KernelWeights[source: 0, layer, filter: 0];
            Console.WriteLine($"{merged.KernelWeights.Layers[layer]}: the first filter is {first:0 %} photographs");
        }
        #endregion
    }

    public static async Task ApplyAsync(string photographs, string chest, string folder)
    {
        #region apply
        await using var merger = new ModelMerger();
        var sources = new[] { new SourceFile("photographs", photographs), new SourceFile("chest", chest) };
        var merged = await merger.ApplyAsync(Path.Combine(folder, "kernel-weights.safetensors"), sources);
        await merged.SaveModelAsync(Path.Combine(folder, "again.safetensors"));
        #endregion
    }

    public static async Task<MergedModel> MergeAsync(MergeInputs inputs)
    {
        #region given
        await using var merger = new ModelMerger();
        var weights = KernelWeightMatrix.Uniform("resnet20", sources: 2);
        weights[source: 0, layer: 3, filter: 5] = 0.9;
        weights[source: 1, layer: 3, filter: 5] = 0.1;
        var merged = await merger.MergeAsync(inputs, weights);
        #endregion
        return merged;
    }
}

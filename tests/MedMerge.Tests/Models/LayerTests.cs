using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

/// <summary>
/// A normalisation that stands alone goes through everything that a convolution goes through. (What holds for every architecture is in
/// NumericsTests and EveryArchitectureTests, over the same network too.)
/// </summary>
public class LayerTests
{
    private static readonly ImageDataset Target = Phantoms.Create("lesions", train: 24, validation: 12, test: 6);
    private static readonly PreActivationNet Network = new();

    [Fact]
    public void A_model_has_its_tensors_in_the_order_of_its_layers()
    {
        using var model = Network.Initialise(1, classes: 2);

        string[] expected =
        [
            "features.denselayer1.norm1.weight",
            "features.denselayer1.norm1.bias",
            "features.denselayer1.norm1.running_mean",
            "features.denselayer1.norm1.running_var",
            "features.denselayer1.norm1.num_batches_tracked",
            "features.denselayer1.conv1.weight",
            "features.denselayer1.norm2.weight",
            "features.denselayer1.norm2.bias",
            "features.denselayer1.norm2.running_mean",
            "features.denselayer1.norm2.running_var",
            "features.denselayer1.norm2.num_batches_tracked",
            "features.denselayer1.conv2.weight",
        ];
        Assert.Equal(expected, model.Names.Where(name => name.Contains("denselayer1", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_lone_normalisation_is_restored_from_the_statistics_of_its_input()
    {
        using var scope = NewDisposeScope();
        using var loader = new BatchLoader(Target, TestDevice.Torch);
        var folded = KernelFolding.Fold(RandomModels.Prepared(Network, 2), Alpha());
        using var statistics = BatchNormRestoration.Measure(folded.To(TestDevice.Torch), Target, loader, CancellationToken.None);
        RandomModels.Head(Network, Target.Classes).AddTo(Network, statistics);
        using var merged = BatchNormRestoration.Restore(folded, statistics);

        // The first layer's input is the images.
        var images = loader.Load(Target.Train, [.. Enumerable.Range(0, Target.Train.Count)]).cpu();
        var mean = images.mean([0L, 2L, 3L]);
        var deviation = images.var([0L, 2L, 3L], unbiased: false).Plus(BatchNorm.Epsilon).sqrt();

        AssertClose(mean, merged["features.norm_in.running_mean"]);
        AssertClose(folded.Kernels[0] * deviation, merged["features.norm_in.weight"]);
        AssertClose(folded.Biases[0].Plus(folded.Kernels[0] * mean), merged["features.norm_in.bias"]);
        Assert.DoesNotContain("features.transition.conv.bias", merged.Names);
    }

    [Theory]
    [InlineData("features.denselayer3.norm1.weight", "it also has 'features.denselayer3.norm1.weight'")]
    [InlineData("projector.0.weight", null)]
    public void A_tensor_of_a_deeper_network_is_refused_and_a_foreign_head_is_not(string name, string? message)
    {
        using var model = RandomModels.Weights(Network, 3, classes: 2);
        model.Add(name, ones(4));
        using var file = ModelFile.Read(Safetensors.Write(model), "a file");
        StateDict Import() => ModelImport.Import(Network, file, chosen: null, "it", []);

        if (message is null) Import().Dispose();
        else Assert.Contains(message, Assert.Throws<InputException>(Import).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Kernel_weights_are_addressed_by_source_layer_and_filter()
    {
        var matrix = new KernelWeightMatrix(Network, sources: 2);
        for (var i = 0; i < matrix.Values.Length; i++) matrix.Values[i] = i;

        var expected = 0;
        for (var source = 0; source < 2; source++)
        {
            for (var layer = 0; layer < Network.Layers.Count; layer++)
            {
                Assert.Equal(expected, matrix.Row(source, layer)[0]);
                for (var filter = 0; filter < Network.Layers[layer].Out; filter++) Assert.Equal(expected++, matrix[source, layer, filter]);
            }
        }
        Assert.Equal(matrix.Values.Length, expected);
        Assert.Throws<ArgumentException>(() => new KernelWeightMatrix(Network, 2, new double[1]));
    }

    private static KernelWeightMatrix Alpha() => RandomModels.Softmax(RandomModels.KernelWeights(Network, 2, new RandomStream(7)));

    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.True(expected.allclose(actual, rtol: 1e-5, atol: 1e-6), $"{expected.str()} against {actual.str()}");
}

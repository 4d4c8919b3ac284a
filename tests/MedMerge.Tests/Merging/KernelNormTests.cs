using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>What fine-tuning starts from: kernels of the anchor's norms, and statistics of the target.</summary>
public class KernelNormTests
{
    private static readonly Architecture Network = new CifarResNet(20, 0.25);
    private static readonly ImageDataset Target = Phantoms.Create("lesions", train: 48, validation: 6, test: 6);

    [Fact]
    public void A_merge_has_the_norms_of_the_anchors_kernels_filter_by_filter()
    {
        using var scope = NewDisposeScope();
        using var anchor = RandomModels.Weights(Network, seed: 20, classes: 2);
        using var merged = Merge(RandomModels.Prepared(Network, 2), Uniform(2));

        foreach (var layer in Network.Layers.OfType<Convolution>())
        {
            var expected = LayerForms.MeasureNorms(layer, anchor)!;
            var actual = LayerForms.MeasureNorms(layer, merged)!;
            Assert.True(allclose(expected, actual, rtol: 1e-5), layer.Name);
        }
    }

    [Fact]
    public void A_source_restored_by_itself_keeps_its_kernels()
    {
        using var scope = NewDisposeScope();
        using var source = RandomModels.Weights(Network, seed: 20, classes: 2);
        using var restored = Merge(RandomModels.Prepared(Network, 1), Uniform(1));

        foreach (var layer in Network.Layers)
        {
            var name = layer.Name + ".weight";
            Assert.True(allclose(source[name], restored[name], rtol: 1e-5, atol: 1e-7), name);
        }
    }

    [Fact]
    public void A_kernel_of_zeros_is_not_scaled()
    {
        using var scope = NewDisposeScope();
        var sources = RandomModels.Prepared(Network, 1);
        sources[0].Kernel(Network.Layers[0])[0].zero_();

        using var merged = Merge(sources, Uniform(1));

        Assert.Null(merged.FirstNonFinite());
        Assert.Equal(0, merged["conv1.weight"][0].abs().max().item<float>());
    }

    /// <summary>A head that is probed in evaluation mode must fit the features of training mode.</summary>
    [Fact]
    public void With_the_targets_statistics_training_sees_the_features_that_evaluation_sees()
    {
        using var source = RandomModels.Weights(Network, seed: 20, classes: 2);
        using var loader = new BatchLoader(Target, TestDevice.Torch);

        using var restored = BatchNormStatistics.Estimate(
            Network,
            source,
            Target,
            batchSize: 48,
            loader,
            TestDevice.Torch,
            TestContext.Current.CancellationToken);

        Assert.True(Distance(source) > 0.2, $"{Distance(source)}");
        Assert.True(Distance(restored) < 0.02, $"{Distance(restored)}"); // unbiased variances differ from the batch's by 1/n

        double Distance(StateDict model)
        {
            using var scope = NewDisposeScope();
            using var inference = no_grad();
            using var network = new BatchNormNetwork(Network, model, TestDevice.Torch);
            var images = loader.Load(Target.Train, [.. Enumerable.Range(0, Target.Train.Count)]);
            var evaluated = network.Features(images, training: false);
            var trained = network.Features(images, training: true);
            return ((trained - evaluated).norm() / trained.norm()).item<float>();
        }
    }

    private static KernelWeightMatrix Uniform(int sources) => KernelWeightMatrix.Uniform("resnet20", sources, Network.Width);

    private static StateDict Merge(List<PreparedSource> sources, KernelWeightMatrix alpha)
    {
        using var loader = new BatchLoader(Target, TestDevice.Torch);
        var folded = KernelFolding.Fold(sources, alpha);
        var onDevice = folded.To(TestDevice.Torch);
        var statistics = BatchNormRestoration.Measure(onDevice, Target, loader, TestContext.Current.CancellationToken);
        sources[0].CopyNormsTo(Network, statistics);
        RandomModels.Head(Network, Target.Classes).AddTo(Network, statistics);
        return BatchNormRestoration.Restore(folded, statistics);
    }
}

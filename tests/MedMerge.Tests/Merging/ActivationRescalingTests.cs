using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Graphs;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>REPAIR: a merged model's channels get the moments of its sources'.</summary>
public class ActivationRescalingTests
{
    private const double Tolerance = 0.02; // a running variance has Bessel's correction, 1 in 32 where a feature map is one pixel

    /// <summary>
    /// In every layer with a batch norm, over the images that its statistics are of; on average over the channels, since batch norm's ε
    /// holds back those that hardly vary.
    /// </summary>
    [Theory]
    [InlineData("resnet20", 0.5)]
    [InlineData("resnet18-3x3", 0.125)]
    [InlineData("preactivation", 1)]
    public void Channels_have_the_weighted_mean_and_deviation_of_the_sources(string name, double width)
    {
        var architecture = PreActivationNet.Create(name, width);
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var target = RandomModels.TargetFor(architecture);
        var sources = RandomModels.Prepared(architecture, 2);
        var alpha = RandomModels.Anchored(architecture, 2, anchor: 0, anchorWeight: 0.7);
        using var loader = new BatchLoader(target, TestDevice.Torch);
        using var merged = Merge(architecture, sources, alpha, target, loader);

        using var rescaled = Rescale(sources, alpha, merged, target, loader);

        var images = loader.Load(target.Train, [.. Enumerable.Range(0, target.Train.Count)]);
        var actual = ObserveModel(architecture, rescaled, images);
        var before = ObserveModel(architecture, merged, images);
        var moments = sources.Select(source => ObserveFolded(architecture, source, images)).ToList();
        for (var l = 0; l < architecture.Layers.Count; l++)
        {
            if (architecture.Layers[l].Norm is null) continue;
            var deviation = (moments[0][l].Deviation * 0.7).Plus(moments[1][l].Deviation * 0.3);
            var mean = (moments[0][l].Mean * 0.7).Plus(moments[1][l].Mean * 0.3);
            var limit = Tolerance * Average(deviation);
            Assert.True(Average(actual[l].Deviation - deviation) < limit, architecture.Layers[l].Name);
            Assert.True(Average(actual[l].Mean - mean) < limit, architecture.Layers[l].Name);
        }
        var deepest = architecture.Layers.Count - 1;
        Assert.True(before[deepest].Deviation.mean().item<double>() < actual[deepest].Deviation.mean().item<double>());
    }

    /// <summary>A merge that is one source alone has its moments already.</summary>
    [Fact]
    public void A_source_alone_computes_what_it_did()
    {
        var architecture = Architectures.Create("resnet20", 0.5);
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var target = RandomModels.TargetFor(architecture);
        var sources = RandomModels.Prepared(architecture, 2);
        var alpha = new KernelWeightMatrix(architecture, 2);
        alpha.Row(0).Fill(1);
        using var loader = new BatchLoader(target, TestDevice.Torch);
        using var merged = Merge(architecture, sources, alpha, target, loader);

        using var rescaled = Rescale(sources, alpha, merged, target, loader);

        var images = loader.Load(target.Train, [0, 1, 2, 3]);
        using var one = new BatchNormNetwork(architecture, merged, TestDevice.Torch);
        using var other = new BatchNormNetwork(architecture, rescaled, TestDevice.Torch);
        var expected = one.Features(images, training: false);
        Assert.True(Largest(other.Features(images, training: false) - expected) < 1e-2 * Largest(expected));
    }

    private static StateDict Merge(
        Architecture architecture,
        List<PreparedSource> sources,
        KernelWeightMatrix alpha,
        ImageDataset target,
        BatchLoader loader)
    {
        var network = KernelFolding.Fold(sources, alpha).To(TestDevice.Torch);
        using var statistics = BatchNormRestoration.Measure(network, target, loader, CancellationToken.None);
        RandomModels.Head(architecture, target.Classes).AddTo(architecture, statistics);
        return BatchNormRestoration.Restore(network, statistics);
    }

    private static StateDict Rescale(
        List<PreparedSource> sources,
        KernelWeightMatrix alpha,
        StateDict merged,
        ImageDataset target,
        BatchLoader loader) => ActivationRescaling.Rescale(
        sources,
        alpha,
        merged,
        target,
        batchSize: target.Train.Count,
        loader,
        TestDevice.Torch,
        CancellationToken.None);

    private static List<(Tensor Mean, Tensor Deviation)> ObserveModel(Architecture architecture, StateDict model, Tensor images)
    {
        Tensor OnDevice(string name) => model[name].to(TestDevice.Torch);
        return Observe(architecture, images, (l, input) => architecture.Layers[l].Apply(input, OnDevice, training: false));
    }

    private static List<(Tensor Mean, Tensor Deviation)> ObserveFolded(Architecture architecture, PreparedSource source, Tensor images) =>
        Observe(architecture, images, FoldedNetwork.Of(architecture, source).To(TestDevice.Torch).Apply);

    private static List<(Tensor Mean, Tensor Deviation)> Observe(Architecture architecture, Tensor images, LayerFunction apply)
    {
        var seen = new (Tensor, Tensor)[architecture.Layers.Count];
        architecture.Forward(images, (l, input) =>
        {
            var output = apply(l, input);
            var (variance, mean) = var_mean(output.to(ScalarType.Float64), [0L, 2L, 3L], unbiased: false);
            seen[l] = (mean.cpu().DetachFromDisposeScope(), variance.sqrt().cpu().DetachFromDisposeScope());
            return output;
        });
        return [.. seen];
    }

    private static double Average(Tensor tensor) => tensor.abs().mean().item<double>();

    private static double Largest(Tensor tensor) => tensor.abs().max().to(ScalarType.Float64).item<double>();
}

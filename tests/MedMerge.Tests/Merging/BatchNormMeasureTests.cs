using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>Batch norm's statistics over several batches, as large as a number of pixels allows.</summary>
public class BatchNormMeasureTests
{
    /// <summary>Two images at once: the last batch is smaller than the others.</summary>
    [Fact]
    public void Statistics_merged_from_batches_are_those_of_all_images_at_once()
    {
        const int Side = 512; // two images a batch
        var random = new Random(1);
        ImageSplit Split(int count)
        {
            var pixels = new byte[count * Side * Side];
            random.NextBytes(pixels);
            return new ImageSplit(pixels, [.. Enumerable.Range(0, count).Select(i => i % 2)]);
        }

        var info = new DatasetInfo
        {
            Name = "noise",
            Height = Side,
            Width = Side,
            Channels = 1,
            Classes = 2,
            Provenance = new Provenance("noise", Sha256: null),
        };
        var data = new ImageDataset(info, Split(5), Split(2), Split(2));
        using var scope = NewDisposeScope();
        var architecture = Architectures.Create("resnet20", 0.0625);
        var sources = RandomModels.Prepared(architecture, 1);
        var folded = KernelFolding.Fold(sources, RandomModels.Softmax(new KernelWeightMatrix(architecture, 1)))
            .To(TestDevice.Torch);
        using var loader = new BatchLoader(data, TestDevice.Torch);
        Assert.Equal([2, 2, 1], loader.Batches(data.Train).Select(batch => batch.Length));

        using var statistics = BatchNormRestoration.Measure(folded, data, loader, CancellationToken.None);

        var layer = architecture.Layers[0];
        var all = layer.Apply(loader.Load(data.Train, [0, 1, 2, 3, 4]), folded.Kernels[0], bias: null).to(ScalarType.Float64);
        Check(all.mean([0L, 2L, 3L]), statistics[layer.Norm!.Mean]);
        Check(all.var([0L, 2L, 3L], unbiased: false), statistics[layer.Norm.Variance]);

        static void Check(Tensor expected, Tensor measured)
        {
            var worst = (measured.to(ScalarType.Float64) - expected.cpu()).abs().max().item<double>();
            Assert.True(worst < 1e-6 * expected.abs().max().item<double>(), $"{worst}");
        }
    }
}

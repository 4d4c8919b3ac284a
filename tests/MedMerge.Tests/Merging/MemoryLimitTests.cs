using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tests.Models;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>Kernels that come to the device layer by layer give the same bytes and never are there all at once.</summary>
public class MemoryLimitTests
{
    private const int Sources = 3;
    private static readonly ImageDataset Target = Phantoms.Create("lesions", train: 24, validation: 12, test: 6);
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.5);
    private static readonly long All = Sources * Network.Layers.Sum(Elements) * sizeof(float);
    private static readonly long Largest = Sources * Network.Layers.Max(Elements) * sizeof(float);

    [Fact]
    public void A_step_a_prediction_and_a_probe_give_the_same_bytes_with_and_without_a_limit()
    {
        var random = new RandomStream(11);
        var alpha = RandomModels.Softmax(RandomModels.KernelWeights(Network, Sources, random));
        var step = new KernelWeightStep(1, 0, alpha, RandomModels.Head(Network, Target.Classes));
        var (free, limited) = (Numbers(null), Numbers(0));
        Assert.NotEmpty(free);
        Assert.Equal(free, limited);

        List<long> Numbers(long? limit)
        {
            var sources = RandomModels.Prepared(Network, Sources);
            var settings = new KernelWeightSettings { BatchSize = 8 };
            using var computer = new KernelWeightGradientComputer(
                Network, sources, Target, settings, seed: 1, TestDevice.Torch, memoryLimit: limit);
            sources.ForEach(source => source.Dispose()); // as KernelWeightStage.Open does: the computer has what it needs
            var numbers = new List<double>();
            for (var i = 0; i < 2; i++)
            {
                var gradient = computer.Gradient(0, step with { Step = i });
                numbers.AddRange([gradient.Loss, .. gradient.Alpha.Values, .. gradient.HeadWeight, .. gradient.HeadBias]);
            }
            var head = computer.Probe(alpha, CancellationToken.None);
            numbers.AddRange([.. head.Weight, .. head.Bias]);
            numbers.Add(Scoring.Validate(computer.Predict(alpha, head, Target.Validation, CancellationToken.None)).Loss);
            return [.. numbers.Select(BitConverter.DoubleToInt64Bits)];
        }
    }

    [Fact]
    public void Only_one_layer_is_on_the_device_at_a_time_where_all_exceed_the_limit()
    {
        Assert.True(Largest * 2 < All);
        Assert.Equal(All, Peak(null));
        Assert.Equal(All, Peak(All));
        Assert.Equal(Largest, Peak(All - 1));
        Assert.Equal(Largest, Peak(0));

        static long Peak(long? limit)
        {
            using var scope = NewDisposeScope();
            using var stack = new SourceStack(Network, RandomModels.Prepared(Network, Sources), TestDevice.Torch, memoryLimit: limit);
            var weights = new KernelWeightMatrix(Network, Sources);
            var folded = stack.Fold(stack.Split(weights));
            stack.AlphaGradient(folded.Parameters, weights.Layout);
            return stack.PeakBytes;
        }
    }

    [Fact]
    public void Weighted_features_are_the_same_bytes_too()
    {
        using var scope = NewDisposeScope();
        var sources = RandomModels.Prepared(Network, Sources);
        using var free = new SourceStack(Network, sources, TestDevice.Torch);
        using var limited = new SourceStack(Network, sources, TestDevice.Torch, memoryLimit: 0);
        var alpha = RandomModels.Softmax(new KernelWeightMatrix(Network, Sources));
        var input = ones(2, Network.Layers[0].Shape[1], 8, 8, device: TestDevice.Torch);
        Assert.Equal(Features(free), Features(limited));

        float[] Features(SourceStack stack)
        {
            var features = stack.WeightedFeatures(0, input, stack.Split(alpha)[0]);
            return features.cpu().contiguous().data<float>().ToArray();
        }
    }

    private static long Elements(Layer layer) => layer.Shape.Aggregate(1L, (size, side) => size * side);
}

using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tests.Models;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

/// <summary>Counts live tensors, a number of the whole process: these tests run alone.</summary>
[CollectionDefinition(nameof(LiveTensorTests), DisableParallelization = true)]
[Collection(nameof(LiveTensorTests))]
public class LiveTensorTests
{
    private static readonly ImageDataset Target = Phantoms.Create("cells", train: 24, validation: 12, test: 6);
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.25);

    public LiveTensorTests()
    {
        GC.Collect(); // what other tests left to their finalisers
        GC.WaitForPendingFinalizers();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0L)]
    public void No_tensor_outlives_its_step(long? memoryLimit)
    {
        var sources = RandomModels.Prepared(Network, 3);
        var settings = new KernelWeightSettings { BatchSize = 8 };
        using var computer = new KernelWeightGradientComputer(
            Network, sources, Target, settings, seed: 1, TestDevice.Torch, memoryLimit: memoryLimit);
        using var start = Network.Initialise(1, Target.Classes);
        var alpha = RandomModels.Softmax(new KernelWeightMatrix(Network, sources: 3));
        var step = new KernelWeightStep(1, 0, alpha, RandomModels.Head(Network, Target.Classes));

        var after10 = LiveAfter(10);
        var after50 = LiveAfter(40);

        Assert.Equal(after10, after50);

        long LiveAfter(int steps)
        {
            for (var i = 0; i < steps; i++) computer.Gradient(0, step with { Step = i % 3 });
            var tuning = new FineTuneSettings { Epochs = steps / 10, BatchSize = 8 };
            using (var tuner = new FineTuner(Network, start, startCounts: true, Target, tuning, 1, TestDevice.Torch))
            {
                while (!tuner.IsDone) tuner.RunEpoch(CancellationToken.None);
                tuner.Restore(tuner.Save());
            }
            return Tensor.TotalCount;
        }
    }

    [Fact]
    public void Of_layers_brought_to_the_device_only_what_was_computed_with_them_stays()
    {
        var sources = RandomModels.Prepared(Network, 3);
        var (free, limited) = (Kept(null), Kept(0));
        Assert.True(limited <= free, $"{limited} tensors against {free}");

        long Kept(long? limit)
        {
            using var scope = NewDisposeScope();
            using var stack = new SourceStack(Network, sources, TestDevice.Torch, memoryLimit: limit);
            var alpha = stack.Split(new KernelWeightMatrix(Network, 3));
            var before = Tensor.TotalCount;
            stack.Fold(alpha);
            return Tensor.TotalCount - before;
        }
    }

    [Fact]
    public void Cancelling_ends_training_and_leaves_no_tensors()
    {
        using var start = Network.Initialise(1, Target.Classes);
        var before = Tensor.TotalCount;
        using var cancel = new CancellationTokenSource();
        var settings = new FineTuneSettings { Epochs = 100 };
        using (var tuner = new FineTuner(Network, start, startCounts: true, Target, settings, 1, TestDevice.Torch))
        {
            tuner.RunEpoch(cancel.Token);
            cancel.Cancel();
            Assert.Throws<OperationCanceledException>(() => tuner.RunEpoch(cancel.Token));
        }
        Assert.Equal(before, Tensor.TotalCount);
    }
}

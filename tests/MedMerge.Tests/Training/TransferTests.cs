using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

/// <summary>
/// What a training step asks of its device: copies, each of which waits for a GPU, and operations. TorchSharp makes a tensor for each
/// operation that this code calls, also for views, which a GPU does not see; the backward pass' own operations are libtorch's.
/// </summary>
public class TransferTests
{
    private const int Steps = 3;
    private static readonly ImageDataset Target = Phantoms.Create("cells", train: 8 * Steps, validation: 12, test: 6);
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.25);
    private static readonly FineTuneSettings FineTuning = new() { BatchSize = 8, Augmentation = Augmentation.ShiftedAndFlipped };

    [Fact]
    public void A_fine_tuning_step_is_one_transfer_to_the_device_and_none_back()
    {
        using var start = Network.Initialise(1, Target.Classes);
        using var tuner = new FineTuner(Network, start, startCounts: true, Target, FineTuning, seed: 1, TestDevice.Torch);
        tuner.RunEpoch(CancellationToken.None);
        tuner.RunEpoch(CancellationToken.None); // the pixels are there

        var work = Measure(() =>
        {
            while (tuner.RunSteps(CancellationToken.None))
            {
                // A time slice at a time.
            }
        });

        Assert.Equal((Steps, 0), (work.ToDevice, work.ToHost));
        Assert.InRange(work.Operations, 1, 250 * Steps);
    }

    [Fact]
    public void A_shards_fine_tuning_step_is_two_transfers_to_the_device_and_one_back()
    {
        using var start = Network.Initialise(1, Target.Classes);
        using var computer = new FineTuneGradientComputer(Network, start, Target, FineTuning, seed: 1, TestDevice.Torch);
        var step = new FineTuneStep(1, 0, computer.Layout.Flatten(start));
        computer.Gradient(0, step);

        var work = Measure(() =>
        {
            for (var i = 0; i < Steps; i++) computer.Gradient(0, step with { Step = i });
        });

        Assert.Equal((2 * Steps, Steps), (work.ToDevice, work.ToHost));
        Assert.InRange(work.Operations, 1, 250 * Steps);
    }

    [Fact]
    public void A_weight_learning_step_is_two_transfers_to_the_device_and_one_back_whatever_the_number_of_sources()
    {
        foreach (var count in new[] { 2, 5 })
        {
            var sources = RandomModels.Prepared(Network, count);
            var settings = new KernelWeightSettings { BatchSize = 8, Augmentation = Augmentation.ShiftedAndFlipped };
            using var computer = new KernelWeightGradientComputer(Network, sources, Target, settings, seed: 1, TestDevice.Torch);
            var alpha = RandomModels.Softmax(new KernelWeightMatrix(Network, count));
            var step = new KernelWeightStep(1, 0, alpha, RandomModels.Head(Network, Target.Classes));
            computer.Gradient(0, step);

            var work = Measure(() =>
            {
                for (var i = 0; i < Steps; i++) computer.Gradient(0, step with { Step = i });
            });

            Assert.Equal((2 * Steps, Steps), (work.ToDevice, work.ToHost));
            Assert.InRange(work.Operations, 1, 330 * Steps);
        }
    }

    private static (int ToDevice, int ToHost, long Operations) Measure(Action steps)
    {
        var (before, operations) = (Transfers.Count, Operations());
        steps();
        var after = Transfers.Count;
        var work = (after.ToDevice - before.ToDevice, after.ToHost - before.ToHost, Operations() - operations);
        TestContext.Current.TestOutputHelper?.WriteLine($"transfers, operations of {Steps} steps: {work}");
        return work;

        static long Operations()
        {
            var made = DisposeScopeManager.Statistics.TensorStatistics;
            return made.CreatedInScopeCount + made.CreatedOutsideScopeCount;
        }
    }
}

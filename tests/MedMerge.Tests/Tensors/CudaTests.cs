using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using TorchSharp;

namespace MedMerge.Tests.Tensors;

/// <summary>What holds on a GPU besides all that the other tests ask of every device.</summary>
public class CudaTests
{
    public CudaTests()
    {
        if (TestDevice.IsCpu) Assert.Skip("MEDMERGE_TEST_DEVICE names no GPU.");
    }

    [Fact]
    public void A_gradient_is_the_processors_but_for_rounding()
    {
        var target = Phantoms.Create("lesions", train: 32, validation: 8, test: 8);
        var network = Architectures.Create("resnet20", 0.5);
        var step = new KernelWeightStep(
            Epoch: 1,
            Step: 0,
            RandomModels.Softmax(RandomModels.KernelWeights(network, 2, new RandomStream(3))),
            RandomModels.Head(network, target.Classes));

        var expected = Compute(torch.CPU);
        var actual = Compute(TestDevice.Torch);

        Assert.Equal(expected.Loss, actual.Loss, 1e-4 * expected.Loss);
        AssertNear(expected.Alpha.Values, actual.Alpha.Values);
        AssertNear(expected.HeadWeight, actual.HeadWeight);

        KernelWeightGradient Compute(torch.Device device)
        {
            using var scope = torch.NewDisposeScope();
            var settings = new KernelWeightSettings { BatchSize = 32 };
            using var computer = new KernelWeightGradientComputer(
                network, RandomModels.Prepared(network, 2), target, settings, seed: 1, device);
            return computer.Gradient(0, step);
        }
    }

    [Fact]
    public void A_GPU_that_is_not_there_is_named_with_how_many_are()
    {
        var error = Assert.Throws<InputException>(() => DeviceThread.Find("cuda:99"));
        Assert.Contains($"this machine has {torch.cuda.device_count()} CUDA device(s)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_driver_names_its_model_and_memory()
    {
        var index = DeviceName.CudaIndex(TestDevice.Name)!.Value;
        Assert.Equal($"cuda:{index} {CudaDriver.GetName(index)}", DeviceThread.NameInFull($"cuda:{index}"));
        Assert.InRange(CudaDriver.GetMemory(index), 1L << 30, 1L << 40);
    }

    /// <summary>Euclidean distance relative to the expected values' length.</summary>
    private static void AssertNear(IReadOnlyList<double> expected, IReadOnlyList<double> actual)
    {
        var distance = Math.Sqrt(expected.Zip(actual, (a, b) => (a - b) * (a - b)).Sum());
        Assert.InRange(distance / Math.Sqrt(expected.Sum(value => value * value)), 0, 1e-3);
    }
}

using MedMerge.Data.Formats;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary>What a stage is expected to need, before it begins.</summary>
public class StageMemoryTests
{
    [Fact]
    public void Activations_are_counted_by_the_networks_own_forward_pass()
    {
        TorchRuntime.Start();
        var network = Architectures.Create("resnet20");
        // He et al. 2016, section 4.2: 7 layers of 16 maps at full size, 6 of 32 at half, 6 of 64 at a quarter; shortcuts have no layers.
        var expected = (7 * 16 * 28 * 28) + (6 * 32 * 14 * 14) + (6 * 64 * 7 * 7);
        Assert.Equal(expected, network.CountActivations(28, 28));
        Assert.Equal(expected * 4, network.CountActivations(56, 56));
    }

    [Theory]
    [InlineData("resnet20", 64, 112)]
    [InlineData("resnet18", 64, 340)]
    public void Training_takes_a_batchs_activations_and_the_parameters(string name, int batch, int expectedMiB)
    {
        TorchRuntime.Start();
        var data = Phantoms.Create("lesions", train: 8, validation: 4, test: 4);
        var target = new TargetContext(Architectures.Create(name), data, Threads: 1, Device: "cpu");
        var bytes = target.EstimateTraining(batch);
        Assert.InRange(bytes >> 20, expectedMiB * 0.8, expectedMiB * 1.25);
        Assert.True(target.EstimateTraining(2 * batch) > bytes);
        Assert.True(target.EstimateTraining(batch, models: 4) > bytes);
    }

    /// <summary>A tuner's state has a header and batch norms beside what is counted.</summary>
    [Fact]
    public void A_checkpoint_has_about_the_estimated_size()
    {
        var data = Phantoms.Create("lesions", train: 8, validation: 4, test: 4);
        var target = new TargetContext(Architectures.Create("resnet20"), data, Threads: 1, Device: "cpu");
        using var start = target.Architecture.Initialise(1, data.Classes);
        using var tuner = new FineTuner(
            target.Architecture, start, startCounts: true, data, new FineTuneSettings(), seed: 1, TestDevice.Torch);

        Assert.InRange(tuner.Save().Length, target.EstimateState(), target.EstimateState() * 1.05);
    }
}

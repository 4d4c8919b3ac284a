using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Merging;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

/// <summary>What each architecture's models go through besides the method's algebra, which NumericsTests has.</summary>
public class EveryArchitectureTests
{
    public static TheoryData<string, double> Architectures => NumericsTests.Architectures;

    /// <summary>Whatever the classes of its head.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void An_exported_model_is_imported_with_the_same_bytes(string name, double width)
    {
        var network = PreActivationNet.Create(name, width);
        using var model = RandomModels.Weights(network, 3, classes: 7);
        using var file = RandomModels.WriteAndRead(model, prefix: "net.");
        var notes = new List<string>();

        using var imported = ModelImport.Import(network, file, chosen: null, "it", notes);

        Assert.Equal(["took the tensors under 'net.'"], notes);
        Assert.Equal(Safetensors.Write(model), Safetensors.Write(imported));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Fine_tuning_lowers_the_loss(string name, double width)
    {
        var network = PreActivationNet.Create(name, width);
        var target = RandomModels.TargetFor(network);
        using var start = network.Initialise(1, target.Classes);
        // All images at once: the loss falls from step to step, and not only on average.
        var settings = new FineTuneSettings { Epochs = 6, BatchSize = target.Train.Count, LearningRate = 1e-3 };
        using var tuner = new FineTuner(network, start, startCounts: true, target, settings, seed: 3, TestDevice.Torch);
        while (!tuner.IsDone) tuner.RunEpoch(CancellationToken.None);
        Assert.True(tuner.History[^1].Loss < tuner.History[1].Loss);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Images_of_the_smallest_side_are_taken_and_smaller_ones_are_not(string name, double width)
    {
        var network = PreActivationNet.Create(name, width);
        using var model = RandomModels.Weights(network, 3, classes: 2);
        Assert.Equal([1L, network.Features], Features(network.MinSide).shape);
        if (network.MinSide > 1) Assert.ThrowsAny<Exception>(() => Features(network.MinSide - 1));

        Tensor Features(int side)
        {
            using var scope = NewDisposeScope();
            using var inference = no_grad();
            using var built = new BatchNormNetwork(network, model, CPU);
            return built.Features(zeros(1, 3, side, side), training: false).MoveToOuterDisposeScope();
        }
    }
}

using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

public class TrainingTests
{
    private static readonly ImageDataset Target = Phantoms.Create("cells", train: 24, validation: 12, test: 6);
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.25);

    [Fact]
    public void AdamW_steps_as_PyTorchs()
    {
        using var scope = NewDisposeScope();
        var start = tensor(new[] { 1.0, -2.0, 0.5 });
        var ours = start.clone();
        var theirs = new TorchSharp.Modules.Parameter(start.clone());
        using var optimiser = new AdamW([ours], weightDecay: 0.1);
        var reference = optim.AdamW([theirs], lr: 0.05, weight_decay: 0.1);
        for (var i = 0; i < 20; i++)
        {
            var gradient = tensor(new[] { Math.Sin(i), Math.Cos(i), 1.0 });
            theirs.grad = gradient;
            reference.step();
            optimiser.Step([gradient], 0.05);
        }
        Assert.True(ours.allclose(theirs, 1e-10, 1e-10), $"{ours.str()} against {theirs.str()}");
    }

    [Fact]
    public void Adam_steps_as_PyTorchs()
    {
        using var scope = NewDisposeScope();
        double[] ours = [1.0, -2.0];
        var theirs = new TorchSharp.Modules.Parameter(tensor(ours.ToArray()));
        var optimiser = new Adam(2);
        var reference = optim.Adam([theirs], lr: 0.1);
        for (var i = 0; i < 20; i++)
        {
            double[] gradient = [Math.Sin(i), 0.3];
            theirs.grad = tensor(gradient);
            reference.step();
            optimiser.Step(ours, gradient, 0.1);
        }
        Assert.True(tensor(ours).allclose(theirs, 1e-10, 1e-10));
    }

    [Fact]
    public void The_probe_finds_the_optimum_of_its_penalised_loss()
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        var labels = Enumerable.Range(0, 60).Select(i => i % 3).ToArray();
        var features = tensor([.. labels.SelectMany(label => Enumerable.Range(0, 5).Select(j => random.NextNormal() + (j == label ? 1.5 : 0)))]).view(60, 5);

        var head = LinearProbe.Fit(features, labels, 3, decay: 0.01, CancellationToken.None);

        // At the optimum the gradient, by autograd, is zero.
        var weight = tensor(head.Weight).view(3, 5).requires_grad_();
        var bias = tensor(head.Bias).requires_grad_();
        var loss = nn.functional.cross_entropy(nn.functional.linear(features, weight, bias), tensor([.. labels.Select(label => (long)label)])) + (0.005 * weight.square().sum());
        var gradients = autograd.grad([loss], [weight, bias]);
        Assert.True(gradients.Max(gradient => gradient.abs().max().item<double>()) < 2e-6);
        Assert.True(loss.item<double>() < 0.8 * Math.Log(3));
    }

    [Fact]
    public async Task Weight_learning_twice_gives_the_same_bytes_and_lowers_the_loss()
    {
        var (first, second) = (await Learn(), await Learn());
        Assert.Equal(first.Alpha, second.Alpha);
        Assert.Equal(first.Head.Weight, second.Head.Weight);
        Assert.True(first.History[^1].Loss < first.History[1].Loss);

        static async Task<WeightLearningResult> Learn()
        {
            var sources = RandomModels.Prepared(Network, 2);
            var settings = new WeightLearningSettings { Epochs = 4, BatchSize = 8, Shards = 2, Augmentation = Augmentation.ShiftFlip };
            await using var device = new DeviceThread("cpu", 1);
            using var computer = new GradientComputer(Network, sources, Target, settings, seed: 5, CPU);
            var theta = KernelWeights.Anchored(2, Network.Filters, 0, 0.9);
            var head = new Head(new double[3 * Network.Features], new double[3]);
            return await WeightLearning.RunAsync(new LocalWeightWorkers(device, computer, Target, 2), theta, 2, head, settings, _ => { }, CancellationToken.None);
        }
    }

    [Fact]
    public void Fine_tuning_twice_gives_the_same_bytes_and_learns()
    {
        byte[] Tune(out FineTuneResult result)
        {
            using var start = Network.Initialise(1, Target.Classes);
            result = FineTuning.Run(Network, start, Target, new FineTuneSettings { Epochs = 4, BatchSize = 8, Augmentation = Augmentation.Shift }, 3, CPU, _ => { }, CancellationToken.None);
            using (result.Weights) return Safetensors.Write(result.Weights);
        }

        var first = Tune(out var result);
        Assert.Equal(first, Tune(out _));
        Assert.True(result.History[^1].Loss < result.History[1].Loss);
        Assert.Equal(5, result.History.Count);
    }
}

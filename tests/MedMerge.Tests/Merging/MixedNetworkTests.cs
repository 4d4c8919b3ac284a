using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Experiments;
using MedMerge.Tests.Models;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>Merges whose batch norms are mixed.</summary>
public class MixedNetworkTests
{
    public static TheoryData<string, double> Architectures => NumericsTests.Architectures;

    public static MatrixTheoryData<(string Name, double Width), bool> ArchitecturesByLayout => NumericsTests.ArchitecturesByLayout;

    /// <summary>Against sums of the models' own tensors, run as any model in training is.</summary>
    [Theory]
    [MemberData(nameof(ArchitecturesByLayout))]
    public void The_gradient_of_alpha_equals_autograd_through_sums_of_the_models((string Name, double Width) network, bool isPerKernel)
    {
        const int Sources = 3;
        var architecture = PreActivationNet.Create(network.Name, network.Width);
        var layout = isPerKernel ? KernelWeightLayout.PerKernel(architecture) : KernelWeightLayout.PerFilter(architecture);
        var target = RandomModels.TargetFor(architecture);
        using var scope = NewDisposeScope();
        using var computer = new KernelWeightGradientComputer(
            architecture,
            RandomModels.Prepared(architecture, Sources, BatchNormPolicy.Mix),
            target,
            new KernelWeightSettings { BatchSize = 8 },
            seed: 1,
            TestDevice.Torch,
            ScalarType.Float64);
        var theta = RandomModels.KernelWeights(architecture, Sources, new RandomStream(7), layout);
        var alpha = RandomModels.Softmax(theta);
        var head = RandomModels.Head(architecture, target.Classes);

        var gradient = computer.Gradient(0, new KernelWeightStep(1, 0, alpha, head));
        var byIdentity = KernelWeights.ThroughSoftmax(alpha.Values, gradient.Alpha.Values, Sources);

        using var loader = new BatchLoader(target, TestDevice.Torch, ScalarType.Float64);
        var models = Enumerable.Range(0, Sources).Select(i => RandomModels.Source(architecture, i)).ToList();
        var leaf = tensor(theta.Values, device: TestDevice.Torch).view(Sources, -1).requires_grad_();
        var alphas = leaf.softmax(0).t().split([.. architecture.Layers.Select((_, l) => (long)layout.Length(l))], 0);
        var indices = new ShardPlan(target.Train.Count, 1, 8, 1).Batch(1, 0, 0);
        var features = architecture.Forward(loader.Load(target.Train, indices), (l, input) =>
            architecture.Layers[l].Apply(input, name => Sum(l, name), training: true));
        var (loss, byAutograd) = NumericsTests.Differentiate(features, head, loader.Labels(target.Train, indices), leaf);

        Assert.Equal(loss, gradient.Loss, 1e-10 * Math.Abs(gradient.Loss));
        NumericsTests.AssertClose(byAutograd, byIdentity, 1e-10);

        Tensor Sum(int l, string name)
        {
            if (BatchNormNetwork.IsStatistic(name)) return models[0][name].to(ScalarType.Float64).to(TestDevice.Torch);
            var parts = models.Select(model => model[name].to(ScalarType.Float64).to(TestDevice.Torch)).ToList();
            var filters = parts[0].shape[0];
            Tensor Weights(int source)
            {
                var weights = alphas[l].select(1, source).view(filters, -1);
                return parts[0].dim() == 4 ? weights.view(filters, -1, 1, 1)
                    : parts[0].dim() == 2 ? weights
                    : weights.mean([1L]);
            }
            return parts.Select((part, i) => part * Weights(i)).Aggregate((a, b) => a + b);
        }
    }

    [Theory]
    [MemberData(nameof(ArchitecturesByLayout))]
    public void The_certificate_holds_and_the_export_computes_what_was_scored((string Name, double Width) network, bool isPerKernel)
    {
        var architecture = PreActivationNet.Create(network.Name, network.Width);
        var layout = isPerKernel ? KernelWeightLayout.PerKernel(architecture) : KernelWeightLayout.PerFilter(architecture);
        var target = RandomModels.TargetFor(architecture);
        var sources = RandomModels.Prepared(architecture, 3, BatchNormPolicy.Mix);
        var alpha = RandomModels.Softmax(RandomModels.KernelWeights(architecture, 3, new RandomStream(5), layout));
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var loader = new BatchLoader(target, TestDevice.Torch);
        var mixed = (MixedNetwork)KernelFolding.Merge(sources, alpha).To(TestDevice.Torch);
        using var statistics = BatchNormRestoration.Measure(mixed, target, loader, CancellationToken.None);
        RandomModels.Head(architecture, target.Classes).AddTo(architecture, statistics);
        using var merged = BatchNormRestoration.Restore(mixed, statistics);
        var parts = mixed.FoldSources(sources, statistics);
        var folded = mixed.Fold(statistics, ScalarType.Float64);

        var certificate = Measure(alpha);

        Assert.True(certificate.Worst.Relative < 2e-6, $"worst: {certificate.Worst}");
        // The export has the mixed tensors themselves: nothing is rounded that a batch norm of a small variance could make much of.
        Assert.True(certificate.Features.Relative < 1e-7, $"features: {certificate.Features}");
        Assert.False(Measure(RandomModels.Anchored(architecture, 3, anchor: 0, 0.6)).Holds);
        var images = loader.Load(target.Validation, [0, 1, 2, 3]);
        using var exported = new BatchNormNetwork(architecture, merged, TestDevice.Torch);
        var (expected, actual) = (mixed.Fold(statistics).Features(images), exported.Features(images, training: false));
        AssertNear(expected, actual);

        Certificate Measure(KernelWeightMatrix weights) => Certificate.Measure(
            parts,
            weights,
            folded,
            merged,
            loader.Load(target.Train, [.. Enumerable.Range(0, 8)]),
            TestContext.Current.CancellationToken);
    }

    /// <summary>The mix of one source has its own γ and β, and the statistics that any model would be given on the target.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_source_alone_is_the_source_with_the_statistics_of_the_target(string name, double width)
    {
        var architecture = PreActivationNet.Create(name, width);
        var target = RandomModels.TargetFor(architecture);
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var loader = new BatchLoader(target, TestDevice.Torch);
        using var source = RandomModels.Source(architecture, 0);
        var sources = RandomModels.Prepared(architecture, 1, BatchNormPolicy.Mix);
        var mixed = KernelFolding.Merge(sources, RandomModels.Softmax(new KernelWeightMatrix(architecture, 1)));
        using var statistics = BatchNormRestoration.Measure(mixed.To(TestDevice.Torch), target, loader, CancellationToken.None);
        using var model = ((MixedNetwork)mixed).Join(statistics);

        using var expected = BatchNormStatistics.Estimate(
            architecture, source, target, batchSize: 64, loader, TestDevice.Torch, CancellationToken.None);

        foreach (var norm in architecture.Norms)
        {
            foreach (var tensorName in new[] { norm.Scale, norm.Shift, norm.Variance })
                AssertNear(expected[tensorName], model[tensorName]);
        }
        var images = loader.Load(target.Validation, [0, 1, 2, 3]);
        AssertNear(Features(expected), Features(model));

        Tensor Features(StateDict weights)
        {
            using var network = new BatchNormNetwork(architecture, weights, TestDevice.Torch);
            return network.Features(images, training: false);
        }
    }

    /// <summary>Every method that merges, and whatever stands in a partner's place.</summary>
    [Theory]
    [InlineData("average")]
    [InlineData("aligned-average")]
    [InlineData("restored")]
    [InlineData("untrained-partner")]
    [InlineData("scrambled-partner")]
    [InlineData("jittered-partner")]
    [InlineData("self-scale")]
    public async Task Every_method_that_merges_can_mix(string method)
    {
        using var files = new WeightFilePlan();
        var trial = files.Build($"methods: [{method}]\nbatchNorm: mix").Trials[0];
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(
            new MemoryStageStore(),
            device,
            (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

        var merged = await runner.OutputAsync(
            trial.FindOutput(OutputRole.MergedModel)!.Stage, (_, _) => { }, TestContext.Current.CancellationToken);

        var learned = LearnedKernelWeights.Read(merged[StageFiles.KernelWeights], "it");
        Assert.Equal(BatchNormPolicy.Mix, learned.BatchNorm);
        Assert.True(StageFiles.Read<Certificate>(merged, StageFiles.Certificate).Holds);
    }

    /// <summary>To what two orders of float32 sums differ by, at most, in a network of many layers.</summary>
    private static void AssertNear(Tensor expected, Tensor actual) => Assert.True(
        (expected - actual).abs().max().item<float>() <= 1e-4 * expected.square().mean().sqrt().item<float>());
}

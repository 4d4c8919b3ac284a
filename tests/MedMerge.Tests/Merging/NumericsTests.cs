using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Tests.Training;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging;

/// <summary>The method's algebra against independent computations.</summary>
public class NumericsTests
{
    private static readonly ImageDataset Target = RandomModels.TargetFor(new PreActivationNet());

    public static TheoryData<string, double> Architectures => new()
    {
        { "resnet20", 0.5 },
        { "resnet18", 0.125 },
        { "resnet18-3x3", 0.125 },
        { "resnet34", 0.0625 },
        { "resnet50", 0.0625 },
        { "vgg16_bn", 0.0625 },
        { "densenet121", 0.0625 },
        { "mobilenet_v2", 0.125 },
        { "preactivation", 1 },
    };

    /// <summary>Whether each filter has a weight, or each 2D kernel.</summary>
    public static MatrixTheoryData<(string Name, double Width), bool> ArchitecturesByLayout =>
        new([.. Architectures.Select(row => row.Data)], [false, true]);

    public static MatrixTheoryData<KernelWeightParameterisation, KernelWeightGranularity> WaysToAlpha =>
        new(Enum.GetValues<KernelWeightParameterisation>(), Enum.GetValues<KernelWeightGranularity>());

    [Theory]
    [MemberData(nameof(ArchitecturesByLayout))]
    public void The_gradient_of_alpha_equals_autograd_through_the_weighted_features((string Name, double Width) network, bool isPerKernel)
    {
        var architecture = PreActivationNet.Create(network.Name, network.Width);
        var layout = isPerKernel ? KernelWeightLayout.PerKernel(architecture) : KernelWeightLayout.PerFilter(architecture);
        var target = RandomModels.TargetFor(architecture);
        var sources = RandomModels.Prepared(architecture, 3);
        using var scope = NewDisposeScope();
        var settings = new KernelWeightSettings { BatchSize = 8 };
        using var computer = new KernelWeightGradientComputer(
            architecture, sources, target, settings, seed: 1, TestDevice.Torch, ScalarType.Float64);
        var random = new RandomStream(7);
        var theta = RandomModels.KernelWeights(architecture, 3, random, layout);
        var alpha = RandomModels.Softmax(theta);
        var head = RandomModels.Head(architecture, target.Classes);

        var gradient = computer.Gradient(0, new KernelWeightStep(1, 0, alpha, head));
        var byIdentity = KernelWeights.ThroughSoftmax(alpha.Values, gradient.Alpha.Values, sources: 3);

        // Independently: one feature map a source, softmax and all, differentiated by autograd.
        var leaf = tensor(theta.Values, device: TestDevice.Torch).view(3, -1).requires_grad_();
        var alphas = leaf.softmax(0).t().split([.. architecture.Layers.Select((_, l) => (long)layout.Length(l))], 0);
        var (loss, byAutograd) = DifferentiateWeightedFeatures(architecture, sources, alphas, head, leaf);

        Assert.Equal(loss, gradient.Loss, 1e-10 * Math.Abs(gradient.Loss));
        AssertClose(byAutograd, byIdentity, 1e-10);
    }

    /// <summary>From the loss to what is learned: α's gradient, and what makes α of θ.</summary>
    [Theory]
    [MemberData(nameof(WaysToAlpha))]
    public void The_gradient_of_theta_equals_autograd(KernelWeightParameterisation parameterisation, KernelWeightGranularity granularity)
    {
        const int Sources = 2; // a sigmoid is for two
        var architecture = PreActivationNet.Create("resnet20", 0.25);
        var target = RandomModels.TargetFor(architecture);
        var sources = RandomModels.Prepared(architecture, Sources);
        using var scope = NewDisposeScope();
        var settings = new KernelWeightSettings { BatchSize = 8, Parameterisation = parameterisation, Granularity = granularity };
        using var computer = new KernelWeightGradientComputer(
            architecture, sources, target, settings, seed: 1, TestDevice.Torch, ScalarType.Float64);
        var map = new KernelWeightMap(architecture, Sources, settings);
        var random = new RandomStream(7);
        double[] theta = [.. map.Start(anchor: 0, 0.6).Select(start => start + (0.1 * random.NextNormal()))];
        var head = RandomModels.Head(architecture, target.Classes);

        var gradient = map.ThetaGradient(theta, computer.Gradient(0, new KernelWeightStep(1, 0, map.ToAlpha(theta), head)).Alpha);

        var leaf = tensor(theta, device: TestDevice.Torch).view(-1, map.Groups).requires_grad_();
        var shares = parameterisation switch
        {
            KernelWeightParameterisation.Softmax => leaf.softmax(0),
            KernelWeightParameterisation.Sigmoid => cat([leaf.sigmoid(), leaf.neg().sigmoid()], 0),
            _ => leaf,
        };
        var layout = KernelWeightMap.LayoutOf(architecture, granularity);
        long[] lengths = [.. architecture.Layers.Select((_, l) => (long)layout.Length(l))];
        long[] groups = granularity switch
        {
            KernelWeightGranularity.Model => new long[layout.Count],
            KernelWeightGranularity.Layer => [.. lengths.SelectMany((length, l) => Enumerable.Repeat((long)l, (int)length))],
            _ => [.. Enumerable.Range(0, layout.Count)],
        };
        var alphas = shares.index_select(1, tensor(groups, device: TestDevice.Torch)).t().split(lengths, 0);
        var (_, byAutograd) = DifferentiateWeightedFeatures(architecture, sources, alphas, head, leaf);
        AssertClose(byAutograd, gradient, 1e-10);
    }

    [Fact]
    public async Task Gradients_of_one_two_and_four_shards_agree_to_rounding()
    {
        var architecture = PreActivationNet.Create("resnet20", 0.5);
        var sources = RandomModels.Prepared(architecture, 2);
        var alpha = RandomModels.Anchored(architecture, 2, anchor: 0, 0.7);
        var head = RandomModels.Head(architecture, Target.Classes);
        var sums = new List<KernelWeightGradient>();
        foreach (var shards in new[] { 1, 2, 4 })
        {
            // A batch of all images: the shards differ, the images of the step do not.
            var settings = new KernelWeightSettings { BatchSize = Target.Train.Count, Shards = shards };
            using var computer = new KernelWeightGradientComputer(
                architecture, sources, Target, settings, seed: 3, TestDevice.Torch, ScalarType.Float64);
            var workers = new InlineWorkers(computer, shards);
            var step = new KernelWeightStep(1, 0, alpha, head);
            sums.Add(await KernelWeightLearner.MeanGradientAsync(workers, step, TestContext.Current.CancellationToken));
        }
        foreach (var sum in sums.Skip(1))
        {
            Assert.Equal(Target.Train.Count, sum.Images);
            Assert.Equal(sums[0].Loss, sum.Loss, 1e-12);
            AssertClose(sums[0].Alpha.Values, sum.Alpha.Values, 1e-12);
            AssertClose(sums[0].HeadWeight, sum.HeadWeight, 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(ArchitecturesByLayout))]
    public void The_certificate_holds_in_float32_and_batch_norm_comes_back_without_changing_the_function(
        (string Name, double Width) network,
        bool isPerKernel)
    {
        var architecture = PreActivationNet.Create(network.Name, network.Width);
        var layout = isPerKernel ? KernelWeightLayout.PerKernel(architecture) : KernelWeightLayout.PerFilter(architecture);
        var target = RandomModels.TargetFor(architecture);
        var sources = RandomModels.Prepared(architecture, 3);
        var random = new RandomStream(5);
        var alpha = RandomModels.Softmax(RandomModels.KernelWeights(architecture, 3, random, layout));
        using var scope = NewDisposeScope();
        using var loader = new BatchLoader(target, TestDevice.Torch);
        var exported = KernelFolding.Fold(sources, alpha);
        var folded = exported.To(TestDevice.Torch);
        using var statistics = BatchNormRestoration.Measure(folded, target, loader, CancellationToken.None);
        RandomModels.Head(architecture, target.Classes).AddTo(architecture, statistics);
        sources[0].CopyNormsTo(architecture, statistics); // also with the kernels scaled back
        using var merged = BatchNormRestoration.Restore(exported, statistics);

        var certificate = Measure(alpha, images: 16);

        Assert.Equal(architecture.Layers.Count, certificate.Layers.Count);
        Assert.True(certificate.Holds, $"worst: {certificate.Worst}");
        Assert.True(certificate.Worst.Relative < 1e-6, $"worst: {certificate.Worst}"); // far from the limit, so that other data hold it too

        // The same comparison with float32 arithmetic throughout, on a batch: two ways to sum a convolution.
        using var stack = new SourceStack(architecture, sources, TestDevice.Torch);
        var (images, alphas) = (loader.Load(target.Train, [0, 1, 2, 3]), stack.Split(alpha));
        architecture.Forward(images, (l, input) =>
        {
            var output = folded.Apply(l, input);
            var difference = (output - stack.WeightedFeatures(l, input, alphas[l])).abs().max().item<float>();
            var rms = output.Squared().mean().sqrt().item<float>();
            Assert.True(difference < 1e-5 * rms, $"{architecture.Layers[l].Name}: {difference}");
            return output;
        });

        Assert.All(certificate.Layers, layer => Assert.True(layer.Rms > 0));

        // And it must be able to fail: another α is another function.
        var other = RandomModels.Anchored(architecture, 3, anchor: 0, 0.6);
        Assert.False(Measure(other, images: 2).Holds);

        Certificate Measure(KernelWeightMatrix weights, int images) => Certificate.Measure(
            sources,
            weights,
            folded,
            merged,
            loader.Load(target.Train, [.. Enumerable.Range(0, images)]),
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_certificate_with_what_is_not_a_number_does_not_hold()
    {
        var good = new LayerCertificate("conv1", 1e-9, 1);
        Assert.True(new Certificate(1, [good], good).Holds);
        var certificate = new Certificate(1, [good, new LayerCertificate("conv2", double.NaN, double.NaN)], good);
        Assert.False(certificate.Holds);
        Assert.Equal("conv2", certificate.Worst.Layer);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Folding_batch_norm_keeps_what_a_source_computes(string name, double width)
    {
        var architecture = PreActivationNet.Create(name, width);
        var target = RandomModels.TargetFor(architecture);
        using var scope = NewDisposeScope();
        using var weights = RandomModels.Weights(architecture, seed: 11, classes: 2);
        using var prepared = PreparedSource.Prepare("source", architecture, weights);
        using var loader = new BatchLoader(target, TestDevice.Torch);
        var images = loader.Load(target.Train, [0, 1, 2, 3]);
        using var original = new BatchNormNetwork(architecture, weights, TestDevice.Torch);
        var kernels = architecture.Layers.Select(prepared.Kernel);
        var biases = architecture.Layers.Select(prepared.Bias);
        var folded = new FoldedNetwork(architecture, [.. kernels], [.. biases]).To(TestDevice.Torch);

        var (expected, actual) = (original.Features(images, training: false), folded.Features(images));

        Assert.True((expected - actual).abs().max().item<float>() <= 1e-5 * expected.square().mean().sqrt().item<float>());
    }

    [Fact]
    public void An_anchored_start_gives_the_anchor_its_share()
    {
        var alpha = RandomModels.Anchored(new PreActivationNet(), sources: 4, anchor: 2, 0.9);
        for (var f = 0; f < alpha.Count; f++)
        {
            Assert.Equal(0.9, alpha[2, f], 1e-12);
            Assert.Equal(0.1 / 3, alpha[0, f], 1e-12);
        }
        var entropy = (0.9 * -Math.Log(0.9) / Math.Log(4)) + (0.1 * -Math.Log(0.1 / 3) / Math.Log(4));
        Assert.Equal(entropy, KernelWeights.Entropy(alpha), 1e-12);
    }

    /// <summary>The method as written, one feature map a source: the loss on the first batch, and its gradient by autograd.</summary>
    private static (double Loss, double[] Gradient) DifferentiateWeightedFeatures(
        Architecture architecture,
        IReadOnlyList<PreparedSource> sources,
        Tensor[] alphas,
        Head head,
        Tensor leaf)
    {
        var target = RandomModels.TargetFor(architecture);
        using var stack = new SourceStack(architecture, sources, TestDevice.Torch, ScalarType.Float64);
        using var loader = new BatchLoader(target, TestDevice.Torch, ScalarType.Float64);
        var indices = new ShardPlan(target.Train.Count, 1, 8, 1).Batch(1, 0, 0);
        var images = loader.Load(target.Train, indices);
        var features = architecture.Forward(images, (l, input) => stack.WeightedFeatures(l, input, alphas[l]));
        return Differentiate(features, head, loader.Labels(target.Train, indices), leaf);
    }

    /// <summary>The summed loss of a head on features, and its gradient by autograd.</summary>
    internal static (double Loss, double[] Gradient) Differentiate(Tensor features, Head head, Tensor labels, Tensor leaf)
    {
        var weight = tensor(head.Weight, device: TestDevice.Torch).view(head.Classes, -1);
        var logits = nn.functional.linear(features, weight, tensor(head.Bias, device: TestDevice.Torch));
        var loss = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum);
        return (loss.item<double>(), autograd.grad([loss], [leaf])[0].cpu().contiguous().data<double>().ToArray());
    }

    internal static void AssertClose(double[] expected, double[] actual, double relative)
    {
        var scale = expected.Max(Math.Abs);
        Assert.True(scale > 0);
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair =>
            Assert.True(Math.Abs(pair.First - pair.Second) <= relative * scale, $"{pair.First} against {pair.Second}"));
    }
}

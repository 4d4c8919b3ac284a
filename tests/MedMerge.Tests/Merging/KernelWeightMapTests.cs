using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tests.Models;
using MedMerge.Training;

namespace MedMerge.Tests.Merging;

/// <summary>Every way from θ to α: where it starts, what shares a weight, and its gradient against finite differences.</summary>
public class KernelWeightMapTests
{
    private const double Step = 1e-6;
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.125);

    public static TheoryData<KernelWeightParameterisation, KernelWeightGranularity, int> All
    {
        get
        {
            var all = new TheoryData<KernelWeightParameterisation, KernelWeightGranularity, int>();
            foreach (var parameterisation in Enum.GetValues<KernelWeightParameterisation>())
            {
                foreach (var granularity in Enum.GetValues<KernelWeightGranularity>())
                {
                    all.Add(parameterisation, granularity, 2);
                    if (parameterisation != KernelWeightParameterisation.Sigmoid) all.Add(parameterisation, granularity, 3);
                }
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void It_starts_with_the_anchors_share(
        KernelWeightParameterisation parameterisation,
        KernelWeightGranularity granularity,
        int sources)
    {
        var map = Create(parameterisation, granularity, sources);
        var alpha = map.ToAlpha(map.Start(anchor: 1, 0.8));
        var uniform = map.ToAlpha(map.Start(anchor: null, 0));
        for (var f = 0; f < alpha.Count; f++)
        {
            Assert.Equal(0.8, alpha[1, f], 1e-12);
            Assert.Equal(0.2 / (sources - 1), alpha[0, f], 1e-12);
            Assert.Equal(1.0 / sources, uniform[sources - 1, f], 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_gradient_is_that_of_finite_differences_with_both_penalties(
        KernelWeightParameterisation parameterisation,
        KernelWeightGranularity granularity,
        int sources)
    {
        var map = Create(parameterisation, granularity, sources);
        var settings = new KernelWeightSettings { EntropyPenalty = 0.7, StartPenalty = 3 };
        var random = new RandomStream(5);
        // The loss is linear in α, and the penalties.
        var weights = RandomModels.KernelWeights(Network, sources, random, KernelWeightMap.LayoutOf(Network, granularity));
        var start = map.ToAlpha(map.Start(anchor: 0, 0.8));
        var theta = map.Start(anchor: 0, 0.6);
        for (var i = 0; i < theta.Length; i++) theta[i] += 0.05 * random.NextNormal();

        var alphaGradient = weights.With([.. weights.Values]);
        KernelWeightPenalty.AddGradient(alphaGradient, map.ToAlpha(theta), start, settings);
        var gradient = map.ThetaGradient(theta, alphaGradient);

        Assert.Equal(theta.Length, gradient.Length);
        for (var i = 0; i < theta.Length; i += 7)
        {
            var difference = (Loss(theta, i, Step) - Loss(theta, i, -Step)) / (2 * Step);
            Assert.Equal(difference, gradient[i], 1e-6 * Math.Max(1, Math.Abs(difference)));
        }

        double Loss(double[] at, int index, double change)
        {
            double[] moved = [.. at];
            moved[index] += change;
            var alpha = map.ToAlpha(moved);
            var loss = alpha.Values.Zip(weights.Values, (a, w) => a * w).Sum();
            var distance = alpha.Values.Zip(start.Values, (a, b) => (a - b) * (a - b)).Sum();
            return loss + (0.7 * KernelWeights.Entropy(alpha)) + (3 * distance / (2 * alpha.Count));
        }
    }

    [Fact]
    public void Filters_of_a_group_share_their_weights()
    {
        var random = new RandomStream(3);
        var layer = Alpha(KernelWeightGranularity.Layer);
        for (var l = 0; l < Network.Layers.Count; l++) Assert.Single(layer.Row(0, l).ToArray().Distinct());
        Assert.Equal(Network.Layers.Count, layer.Row(0).ToArray().Distinct().Count());
        Assert.Single(Alpha(KernelWeightGranularity.Model).Row(1).ToArray().Distinct());
        Assert.Equal(Network.Filters, Alpha(KernelWeightGranularity.Filter).Row(0).ToArray().Distinct().Count());
        var kernels = Network.Layers.Cast<Convolution>().Sum(layer => layer.Out * layer.In);
        Assert.Equal(kernels, Alpha(KernelWeightGranularity.Kernel2d).Row(0).ToArray().Distinct().Count());

        KernelWeightMatrix Alpha(KernelWeightGranularity granularity)
        {
            var map = Create(KernelWeightParameterisation.Softmax, granularity, sources: 2);
            var theta = map.Start(anchor: 0, 0.9);
            for (var i = 0; i < theta.Length; i++) theta[i] += random.NextNormal();
            return map.ToAlpha(theta);
        }
    }

    [Fact]
    public void What_is_clamped_ends_a_step_at_the_bound()
    {
        double[] theta = [-0.5, 0.5, 1.5];
        Create(KernelWeightParameterisation.Clamped, KernelWeightGranularity.Filter, 2).Project(theta);
        Assert.Equal([0, 0.5, 1], theta);
        theta = [-0.5, 0.5, 1.5];
        Create(KernelWeightParameterisation.Free, KernelWeightGranularity.Filter, 2).Project(theta);
        Assert.Equal([-0.5, 0.5, 1.5], theta);
    }

    [Fact]
    public void A_sigmoid_is_for_two_sources() => Assert.Throws<ArgumentException>(
        () => Create(KernelWeightParameterisation.Sigmoid, KernelWeightGranularity.Filter, sources: 3));

    /// <summary>A layer that a source gives alone has that source's weight 1, whatever is learned, and moves nothing.</summary>
    [Fact]
    public void A_layer_that_one_source_gives_is_not_learned()
    {
        var layers = Enumerable.Repeat(-1, Network.Layers.Count).ToArray();
        layers[2] = 1;
        var map = new KernelWeightMap(Network, 2, new KernelWeightSettings(), layers);
        var theta = map.Start(anchor: 0, 0.9);
        var alpha = map.ToAlpha(theta);
        Assert.All(alpha.Row(0, layer: 2).ToArray(), weight => Assert.Equal(0, weight));
        Assert.All(alpha.Row(1, layer: 2).ToArray(), weight => Assert.Equal(1, weight));
        Assert.Equal(0.9, alpha[0, 1, 0], 1e-12);

        var gradient = alpha.With([.. alpha.Values.Select(_ => 1.0)]);
        gradient[0, 2, 0] = 5;
        var ofTheta = map.ThetaGradient(theta, gradient);
        Assert.Equal(0, ofTheta[alpha.Layout.Offset(2)]);
        gradient[0, 1, 0] = 5;
        Assert.NotEqual(0, map.ThetaGradient(theta, gradient)[alpha.Layout.Offset(1)]);
    }

    private static KernelWeightMap Create(
        KernelWeightParameterisation parameterisation,
        KernelWeightGranularity granularity,
        int sources) =>
        new(Network, sources, new KernelWeightSettings { Parameterisation = parameterisation, Granularity = granularity });
}

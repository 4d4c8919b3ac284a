using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Merging;

/// <summary>
/// How α comes from the numbers θ that are learned: which filters share them, and how a group's numbers give the sources' weights. Plain
/// float64 arithmetic, so that a coordinator needs no device and the same inputs give the same bits anywhere.
/// </summary>
internal sealed class KernelWeightMap
{
    private readonly Architecture _architecture;
    private readonly int _sources;
    private readonly KernelWeightParameterisation _parameterisation;
    private readonly KernelWeightLayout _layout;
    private readonly int[] _groups; // of each filter or 2D kernel, from 0, none left out

    private readonly int[]? _given; // of each of them the source that gives it alone, or -1

    /// <param name="layerSources">
    /// For each layer the source that gives it alone, whose α is 1 and is not learned, or −1; null where all are learned.
    /// </param>
    public KernelWeightMap(
        Architecture architecture,
        int sources,
        KernelWeightSettings settings,
        IReadOnlyList<int>? layerSources = null)
    {
        _architecture = architecture;
        _sources = sources;
        _parameterisation = settings.Parameterisation;
        if (_parameterisation == KernelWeightParameterisation.Sigmoid && sources != 2)
            throw new ArgumentException($"The parameterisation by sigmoid is for two sources, not {sources}.", nameof(sources));
        _layout = LayoutOf(architecture, settings.Granularity);
        _groups = Group(architecture, settings.Granularity, _layout);
        Groups = _groups[^1] + 1;
        _given = layerSources is null
            ? null
            : [.. layerSources.Index().SelectMany(layer => Enumerable.Repeat(layer.Item, _layout.Length(layer.Index)))];
    }

    /// <summary>What has a weight of its own in α: a filter, or a 2D kernel where those are learned.</summary>
    public static KernelWeightLayout LayoutOf(Architecture architecture, KernelWeightGranularity granularity) =>
        granularity == KernelWeightGranularity.Kernel2d
            ? KernelWeightLayout.PerKernel(architecture)
            : KernelWeightLayout.PerFilter(architecture);

    /// <summary>Groups of filters, or 2D kernels, that share their weights.</summary>
    public int Groups { get; }

    /// <summary>Rows of θ: one a source, or the logit of the first of two.</summary>
    private int Rows => _parameterisation == KernelWeightParameterisation.Sigmoid ? 1 : _sources;

    /// <summary>θ under which the anchor weighs <paramref name="anchorWeight"/> and the others share the rest equally.</summary>
    /// <param name="anchor">Null for equal shares of all.</param>
    /// <returns>[rows × groups].</returns>
    public double[] Start(int? anchor, double anchorWeight)
    {
        var theta = new double[Rows * Groups];
        for (var row = 0; row < Rows; row++) theta.AsSpan(row * Groups, Groups).Fill(StartOf(row, anchor, anchorWeight));
        return theta;
    }

    /// <summary>α from θ.</summary>
    public KernelWeightMatrix ToAlpha(double[] theta)
    {
        var shares = ToShares(theta);
        var alpha = new KernelWeightMatrix(_architecture, _sources, new double[_sources * _layout.Count]);
        for (var i = 0; i < _sources; i++)
            for (var f = 0; f < _groups.Length; f++) alpha[i, f] = IsGiven(f) ? Give(i, f) : shares[(i * Groups) + _groups[f]];
        return alpha;
    }

    /// <summary>∂L/∂θ from ∂L/∂α: the sum over a group's filters, through the parameterisation.</summary>
    /// <param name="theta">Where α comes from.</param>
    public double[] ThetaGradient(double[] theta, KernelWeightMatrix alphaGradient)
    {
        var sums = new double[_sources * Groups];
        for (var i = 0; i < _sources; i++)
            for (var f = 0; f < _groups.Length; f++) sums[(i * Groups) + _groups[f]] += IsGiven(f) ? 0 : alphaGradient[i, f];
        var shares = ToShares(theta);
        return _parameterisation switch
        {
            KernelWeightParameterisation.Softmax => KernelWeights.ThroughSoftmax(shares, sums, _sources),
            KernelWeightParameterisation.Sigmoid => ThroughSigmoid(shares, sums),
            _ => sums,
        };
    }

    /// <summary>Brings θ back to where it may be, after a step that left it.</summary>
    public void Project(double[] theta)
    {
        if (_parameterisation != KernelWeightParameterisation.Clamped) return;
        for (var i = 0; i < theta.Length; i++) theta[i] = Math.Clamp(theta[i], 0, 1);
    }

    private bool IsGiven(int filter) => _given is not null && _given[filter] >= 0;

    private double Give(int source, int filter) => _given![filter] == source ? 1 : 0;

    private static int[] Group(Architecture architecture, KernelWeightGranularity granularity, KernelWeightLayout layout) =>
        granularity switch
        {
            KernelWeightGranularity.Model => new int[layout.Count],
            KernelWeightGranularity.Layer =>
                [.. Enumerable.Range(0, architecture.Layers.Count).SelectMany(layer => Enumerable.Repeat(layer, layout.Length(layer)))],
            _ => [.. Enumerable.Range(0, layout.Count)],
        };

    private double StartOf(int row, int? anchor, double anchorWeight)
    {
        var rest = (1 - anchorWeight) / (_sources - 1);
        var share = anchor is null ? 1.0 / _sources : row == anchor ? anchorWeight : rest;
        return _parameterisation switch
        {
            // softmax gives w to the anchor where its logit leads by ln(w (N − 1) / (1 − w)).
            KernelWeightParameterisation.Softmax => row == anchor ? Math.Log(anchorWeight * (_sources - 1) / (1 - anchorWeight)) : 0,
            KernelWeightParameterisation.Sigmoid => Math.Log(share / (1 - share)),
            _ => share,
        };
    }

    /// <returns>The sources' weights by group, [sources × groups].</returns>
    private double[] ToShares(double[] theta) => _parameterisation switch
    {
        KernelWeightParameterisation.Softmax => KernelWeights.Softmax(theta, _sources),
        KernelWeightParameterisation.Sigmoid => Sigmoid(theta),
        _ => theta,
    };

    private static double[] Sigmoid(double[] theta)
    {
        var shares = new double[2 * theta.Length];
        for (var g = 0; g < theta.Length; g++)
        {
            shares[g] = 1 / (1 + Math.Exp(-theta[g]));
            shares[theta.Length + g] = 1 / (1 + Math.Exp(theta[g])); // 1 − σ(θ), also where σ(θ) rounds to 1
        }
        return shares;
    }

    /// <summary>∂L/∂θ = α₀α₁ (∂L/∂α₀ − ∂L/∂α₁).</summary>
    private static double[] ThroughSigmoid(double[] shares, double[] gradient)
    {
        var groups = shares.Length / 2;
        var result = new double[groups];
        for (var g = 0; g < groups; g++) result[g] = shares[g] * shares[groups + g] * (gradient[g] - gradient[groups + g]);
        return result;
    }
}

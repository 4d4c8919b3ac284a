namespace MedMerge.Merging;

/// <summary>
/// The kernel weights' algebra at granularity <c>filter</c>: α(i, f) = softmax over sources i of the logits θ(i, f), with all filters of all
/// layers in one row. Plain float64 arithmetic, so that a coordinator needs no device and the same inputs give the same bits anywhere.
/// </summary>
public static class KernelWeights
{
    /// <summary>Logits under which the anchor weighs <paramref name="anchorWeight"/> and the others share the rest equally.</summary>
    /// <returns>θ, [sources × filters], row-major.</returns>
    public static double[] Anchored(int sources, int filters, int anchor, double anchorWeight)
    {
        var theta = new double[sources * filters];
        // softmax gives w to the anchor where its logit leads by ln(w (N − 1) / (1 − w)).
        theta.AsSpan(anchor * filters, filters).Fill(Math.Log(anchorWeight * (sources - 1) / (1 - anchorWeight)));
        return theta;
    }

    /// <summary>α from θ, both [sources × filters].</summary>
    public static double[] Softmax(ReadOnlySpan<double> theta, int sources)
    {
        var filters = theta.Length / sources;
        var alpha = new double[theta.Length];
        for (var f = 0; f < filters; f++)
        {
            var max = double.NegativeInfinity;
            for (var i = 0; i < sources; i++) max = Math.Max(max, theta[(i * filters) + f]);
            var sum = 0.0;
            for (var i = 0; i < sources; i++) sum += alpha[(i * filters) + f] = Math.Exp(theta[(i * filters) + f] - max);
            for (var i = 0; i < sources; i++) alpha[(i * filters) + f] /= sum;
        }
        return alpha;
    }

    /// <summary>∂L/∂θ from ∂L/∂α: ∂L/∂θᵢ = αᵢ (∂L/∂αᵢ − Σⱼ αⱼ ∂L/∂αⱼ), filter by filter.</summary>
    public static double[] ThroughSoftmax(ReadOnlySpan<double> alpha, ReadOnlySpan<double> alphaGradient, int sources)
    {
        var filters = alpha.Length / sources;
        var gradient = new double[alpha.Length];
        for (var f = 0; f < filters; f++)
        {
            var mean = 0.0;
            for (var i = 0; i < sources; i++) mean += alpha[(i * filters) + f] * alphaGradient[(i * filters) + f];
            for (var i = 0; i < sources; i++) gradient[(i * filters) + f] = alpha[(i * filters) + f] * (alphaGradient[(i * filters) + f] - mean);
        }
        return gradient;
    }

    /// <summary>The mean entropy of a filter's α in units of ln(sources): 0 where one source holds everything, 1 where all weigh the same.</summary>
    public static double Entropy(ReadOnlySpan<double> alpha, int sources)
    {
        var sum = 0.0;
        foreach (var a in alpha) sum -= a > 0 ? a * Math.Log(a) : 0;
        return sources == 1 ? 0 : sum / (alpha.Length / sources) / Math.Log(sources);
    }
}

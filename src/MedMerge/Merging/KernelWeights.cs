namespace MedMerge.Merging;

/// <summary>The kernel weights' algebra, in plain float64 arithmetic.</summary>
internal static class KernelWeights
{
    private const double SumTolerance = 1e-6;

    /// <summary>Whether each filter's kernel weights are shares of the sources: none negative, and 1 together.</summary>
    public static bool AreShares(KernelWeightMatrix alpha) =>
        alpha.Values.All(share => share >= 0)
        && Enumerable.Range(0, alpha.Count).All(filter =>
            Math.Abs(Enumerable.Range(0, alpha.Sources).Sum(source => alpha[source, filter]) - 1) <= SumTolerance);

    /// <summary>Softmax over the sources.</summary>
    /// <param name="theta">[sources × groups], row-major.</param>
    public static double[] Softmax(double[] theta, int sources)
    {
        var groups = theta.Length / sources;
        var alpha = new double[theta.Length];
        for (var g = 0; g < groups; g++)
        {
            var max = double.NegativeInfinity;
            for (var at = g; at < theta.Length; at += groups) max = Math.Max(max, theta[at]);
            var sum = 0.0;
            for (var at = g; at < theta.Length; at += groups) sum += alpha[at] = Math.Exp(theta[at] - max);
            for (var at = g; at < theta.Length; at += groups) alpha[at] /= sum;
        }
        return alpha;
    }

    /// <summary>∂L/∂θ from ∂L/∂α: ∂L/∂θᵢ = αᵢ (∂L/∂αᵢ − Σⱼ αⱼ ∂L/∂αⱼ), group by group.</summary>
    /// <param name="alpha">The softmax of θ, [sources × groups], row-major.</param>
    public static double[] ThroughSoftmax(double[] alpha, double[] alphaGradient, int sources)
    {
        var groups = alpha.Length / sources;
        var gradient = new double[alpha.Length];
        for (var g = 0; g < groups; g++)
        {
            var mean = 0.0;
            for (var at = g; at < alpha.Length; at += groups) mean += alpha[at] * alphaGradient[at];
            for (var at = g; at < alpha.Length; at += groups) gradient[at] = alpha[at] * (alphaGradient[at] - mean);
        }
        return gradient;
    }

    /// <summary>The mean of α over each layer's filters, or 2D kernels: [layers][sources], to four digits.</summary>
    public static double[][] LayerMeans(KernelWeightMatrix alpha) =>
    [
        .. Enumerable.Range(0, alpha.Layers.Count).Select(layer =>
            Enumerable.Range(0, alpha.Sources).Select(source => Math.Round(Mean(alpha.Row(source, layer)), 4)).ToArray()),
    ];

    /// <summary>
    /// The mean entropy of a filter's α in units of ln(sources): 0 where one source holds everything, 1 where all weigh the same.
    /// </summary>
    public static double Entropy(KernelWeightMatrix alpha)
    {
        if (alpha.Sources == 1) return 0;
        var sum = 0.0;
        foreach (var a in alpha.Values) sum -= a > 0 ? a * Math.Log(a) : 0;
        return sum / alpha.Count / Math.Log(alpha.Sources);
    }

    /// <summary>The mean of some weights.</summary>
    public static double Mean(ReadOnlySpan<double> weights)
    {
        var sum = 0.0;
        foreach (var weight in weights) sum += weight;
        return sum / weights.Length;
    }
}

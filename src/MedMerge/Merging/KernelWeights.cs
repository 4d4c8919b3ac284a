using MedMerge.Models;

namespace MedMerge.Merging;

/// <summary>
/// The kernel weights' algebra at granularity <c>filter</c>: α(i, f) = softmax over sources i of the logits θ(i, f). Plain float64
/// arithmetic, so that a coordinator needs no device and the same inputs give the same bits anywhere.
/// </summary>
internal static class KernelWeights
{
    private const double SumTolerance = 1e-6;

    /// <summary>Whether each filter's kernel weights are shares of the sources: none negative, and 1 together.</summary>
    public static bool AreShares(KernelWeightMatrix alpha) =>
        alpha.Values.All(share => share >= 0)
        && Enumerable.Range(0, alpha.Filters).All(filter =>
            Math.Abs(Enumerable.Range(0, alpha.Sources).Sum(source => alpha[source, filter]) - 1) <= SumTolerance);

    /// <summary>Logits under which the anchor weighs <paramref name="anchorWeight"/> and the others share the rest equally.</summary>
    /// <returns>θ.</returns>
    public static KernelWeightMatrix Anchored(Architecture architecture, int sources, int anchor, double anchorWeight)
    {
        var theta = new KernelWeightMatrix(architecture, sources);
        // softmax gives w to the anchor where its logit leads by ln(w (N − 1) / (1 − w)).
        theta.Row(anchor).Fill(Math.Log(anchorWeight * (sources - 1) / (1 - anchorWeight)));
        return theta;
    }

    /// <summary>α from θ.</summary>
    public static KernelWeightMatrix Softmax(KernelWeightMatrix theta)
    {
        var alpha = new KernelWeightMatrix(theta.Architecture, theta.Sources);
        for (var f = 0; f < theta.Filters; f++)
        {
            var max = double.NegativeInfinity;
            for (var i = 0; i < theta.Sources; i++) max = Math.Max(max, theta[i, f]);
            var sum = 0.0;
            for (var i = 0; i < theta.Sources; i++) sum += alpha[i, f] = Math.Exp(theta[i, f] - max);
            for (var i = 0; i < theta.Sources; i++) alpha[i, f] /= sum;
        }
        return alpha;
    }

    /// <summary>∂L/∂θ from ∂L/∂α: ∂L/∂θᵢ = αᵢ (∂L/∂αᵢ − Σⱼ αⱼ ∂L/∂αⱼ), filter by filter.</summary>
    public static KernelWeightMatrix ThroughSoftmax(KernelWeightMatrix alpha, KernelWeightMatrix alphaGradient)
    {
        var gradient = new KernelWeightMatrix(alpha.Architecture, alpha.Sources);
        for (var f = 0; f < alpha.Filters; f++)
        {
            var mean = 0.0;
            for (var i = 0; i < alpha.Sources; i++) mean += alpha[i, f] * alphaGradient[i, f];
            for (var i = 0; i < alpha.Sources; i++) gradient[i, f] = alpha[i, f] * (alphaGradient[i, f] - mean);
        }
        return gradient;
    }

    /// <summary>
    /// The mean entropy of a filter's α in units of ln(sources): 0 where one source holds everything, 1 where all weigh the same.
    /// </summary>
    public static double Entropy(KernelWeightMatrix alpha)
    {
        if (alpha.Sources == 1) return 0;
        var sum = 0.0;
        foreach (var a in alpha.Values) sum -= a > 0 ? a * Math.Log(a) : 0;
        return sum / alpha.Filters / Math.Log(alpha.Sources);
    }
}

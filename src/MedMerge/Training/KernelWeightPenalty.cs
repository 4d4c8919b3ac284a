using MedMerge.Merging;

namespace MedMerge.Training;

/// <summary>
/// What is added to the loss of weight learning: λₑ · H(α) + λₛ/2 · mean over filters of Σᵢ (αᵢ − α⁰ᵢ)², with H the mean entropy of a
/// filter in units of ln(sources) and α⁰ the start.
/// </summary>
internal static class KernelWeightPenalty
{
    /// <summary>Adds its gradient to ∂L/∂α.</summary>
    /// <param name="gradient">Changed in place.</param>
    /// <param name="start">α⁰.</param>
    public static void AddGradient(
        KernelWeightMatrix gradient,
        KernelWeightMatrix alpha,
        KernelWeightMatrix start,
        KernelWeightSettings settings)
    {
        var values = gradient.Values;
        if (settings.EntropyPenalty != 0 && alpha.Sources > 1)
        {
            var scale = settings.EntropyPenalty / (alpha.Count * Math.Log(alpha.Sources));
            for (var i = 0; i < values.Length; i++)
                if (alpha.Values[i] > 0) values[i] -= scale * (Math.Log(alpha.Values[i]) + 1);
        }
        if (settings.StartPenalty == 0) return;
        for (var i = 0; i < values.Length; i++)
            values[i] += settings.StartPenalty / alpha.Count * (alpha.Values[i] - start.Values[i]);
    }
}

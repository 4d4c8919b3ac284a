namespace MedMerge.Experiments.Specifications;

/// <summary>
/// Successive halving (Jamieson &amp; Talwalkar 2016): all candidates are fine-tuned for a few epochs, the best of them, on the validation
/// split, for <see cref="Factor"/> times as many, and so on. Rungs are synchronous, so that decisions do not depend on which trial ends
/// first.
/// </summary>
/// <param name="Factor">One in so many candidates goes on from each rung.</param>
/// <param name="Epochs">Of fine-tuning up to the first rung.</param>
internal sealed record Halving(int Factor, int Epochs)
{
    /// <summary>The epochs of the rungs before the end.</summary>
    /// <param name="epochs">Of the whole fine-tuning.</param>
    public IEnumerable<int> GetRungs(int epochs)
    {
        for (long rung = Epochs; rung < epochs; rung *= Factor) yield return (int)rung;
    }
}

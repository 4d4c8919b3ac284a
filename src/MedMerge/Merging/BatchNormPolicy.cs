namespace MedMerge.Merging;

/// <summary>What becomes of the sources' batch norms in a merge.</summary>
internal enum BatchNormPolicy
{
    /// <summary>Folded into the kernels before those are weighed, each by its own source's statistics.</summary>
    Fold,

    /// <summary>Weighed like the kernels in front of them, γ and β by the same α; the statistics are those of the merged model.</summary>
    Mix,
}

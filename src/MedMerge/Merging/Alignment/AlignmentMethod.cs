namespace MedMerge.Merging.Alignment;

/// <summary>How a source's channels are brought into the order of the anchor's.</summary>
internal enum AlignmentMethod
{
    /// <summary>They stay as they are.</summary>
    None,

    /// <summary>By their kernels (<see cref="WeightMatching"/>).</summary>
    Weights,

    /// <summary>By what they give for the target's images (<see cref="ActivationMatching"/>).</summary>
    Activations,
}

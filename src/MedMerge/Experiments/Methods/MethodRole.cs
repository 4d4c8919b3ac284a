namespace MedMerge.Experiments.Methods;

/// <summary>A method's role in the comparison. Tables, verdict and exports depend on it, never on a method's name.</summary>
internal enum MethodRole
{
    /// <summary>The method under test: the verdict is about it, and its models are exported.</summary>
    Proposed,

    /// <summary>Uses one source alone; the proposed method is compared with the best of these.</summary>
    SingleSource,

    /// <summary>A common alternative, for reference.</summary>
    Baseline,

    /// <summary>Imitates the proposed method without its key ingredient, to show where a gain comes from.</summary>
    Control,

    /// <summary>Costs more than one model; shows the best that could be reached.</summary>
    UpperBound,
}

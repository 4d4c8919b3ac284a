namespace MedMerge.Experiments.Methods;

/// <summary>The part a method plays in the comparison. Tables, verdict and exports ask for it, never for a method's name.</summary>
public enum MethodRole
{
    /// <summary>What is put to the test: the verdict speaks of it, and its models are exported.</summary>
    Proposed,

    /// <summary>One source alone: the best of these is the rival.</summary>
    SingleSource,

    /// <summary>Another way to make a model, for orientation.</summary>
    Baseline,

    /// <summary>It only looks like the proposed method, to find out where a gain comes from.</summary>
    Control,

    /// <summary>More than one model's cost: what could be reached at best.</summary>
    UpperBound,
}

namespace MedMerge.Experiments.Methods;

/// <summary>What can be compared.</summary>
public enum MethodKind
{
    /// <summary>Learned kernel weights over all sources, then fine-tuning.</summary>
    MedMerge,

    /// <summary>Baseline: from random weights.</summary>
    Scratch,

    /// <summary>Baseline, once a source: fine-tuning it.</summary>
    FineTune,

    /// <summary>Baseline, once a source: linear probe, then fine-tuning (Kumar et al. 2022).</summary>
    LpFt,

    /// <summary>Baseline: all sources' kernels averaged, then fine-tuning.</summary>
    Average,

    /// <summary>Control: MedMerge with untrained models in place of all sources but the anchor.</summary>
    UntrainedPartner,

    /// <summary>Control: the anchor alone, its kernels weighed (merged with zeros).</summary>
    SelfScale,
}

/// <summary>The kinds' names in specifications, tables and files.</summary>
public static class MethodNames
{
    /// <summary>Every kind by name, in the order that tables show them.</summary>
    public static IReadOnlyDictionary<string, MethodKind> All { get; } = new OrderedDictionary<string, MethodKind>
    {
        ["medmerge"] = MethodKind.MedMerge,
        ["average"] = MethodKind.Average,
        ["fine-tune"] = MethodKind.FineTune,
        ["lp-ft"] = MethodKind.LpFt,
        ["scratch"] = MethodKind.Scratch,
        ["untrained-partner"] = MethodKind.UntrainedPartner,
        ["self-scale"] = MethodKind.SelfScale,
    };

    /// <summary>The name of a kind.</summary>
    public static string Of(MethodKind kind) => All.First(pair => pair.Value == kind).Key;

    /// <summary>Whether it starts from one source and takes part as a rival of merging.</summary>
    public static bool IsSingleSource(MethodKind kind) => kind is MethodKind.FineTune or MethodKind.LpFt;

    /// <summary>Whether it only looks like merging, to find out what of a gain is transfer.</summary>
    public static bool IsControl(MethodKind kind) => kind is MethodKind.UntrainedPartner or MethodKind.SelfScale;
}

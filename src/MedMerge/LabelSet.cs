namespace MedMerge;

/// <summary>
/// What the label of an image says. Where every image has one class it is that class, 0 … classes − 1; of a multi-label data set it is a
/// set, in which bit c stands for label c.
/// </summary>
internal static class LabelSet
{
    /// <summary>The most labels that a set has room for.</summary>
    public const int MaxLabels = 30;

    /// <summary>Whether an image is of a class, or has one of several labels.</summary>
    public static bool Has(int label, int @class, bool isMultiLabel) => isMultiLabel ? ((label >> @class) & 1) == 1 : label == @class;

    /// <summary>The set of some labels.</summary>
    public static int Of(IEnumerable<int> labels) => labels.Aggregate(0, (set, label) => set | (1 << label));
}

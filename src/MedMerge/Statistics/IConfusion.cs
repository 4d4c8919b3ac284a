namespace MedMerge.Statistics;

/// <summary>What follows from how many images of each kind get which answer.</summary>
internal interface IConfusion
{
    /// <summary>The mean F1 of the classes or labels that occur or are predicted.</summary>
    double MacroF1 { get; }

    /// <summary>Share of right answers; with several labels, over all labels of all images.</summary>
    double Accuracy { get; }

    /// <summary>The mean recall of the classes that occur; with several labels the mean over labels of recall and specificity.</summary>
    double BalancedAccuracy { get; }

    /// <summary>Cohen's κ; with several labels the mean over them.</summary>
    /// <param name="quadratic">Whether a mistake counts by its squared distance; of two answers that is the same.</param>
    double Kappa(bool quadratic);

    /// <summary>Class by class, or label by label; a ratio without a denominator is 0.</summary>
    IReadOnlyList<ClassScore> PerClass();
}

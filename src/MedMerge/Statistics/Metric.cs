namespace MedMerge.Statistics;

/// <summary>A score that methods are compared by; all are 0 to 1, and higher is better.</summary>
public enum Metric
{
    /// <summary>The mean F1 of the classes.</summary>
    MacroF1,

    /// <summary>The mean recall of the classes.</summary>
    BalancedAccuracy,

    /// <summary>The share of right answers.</summary>
    Accuracy,

    /// <summary>The area under the ROC curve, one class against the rest.</summary>
    Auc,
}

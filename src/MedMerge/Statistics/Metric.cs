namespace MedMerge.Statistics;

/// <summary>A score that methods are compared by; higher is better. All are 0 to 1 but κ, which is −1 to 1.</summary>
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

    /// <summary>Cohen's κ with quadratic weights, for classes that are grades.</summary>
    QuadraticKappa,
}

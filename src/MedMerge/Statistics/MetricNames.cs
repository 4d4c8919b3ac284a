namespace MedMerge.Statistics;

/// <summary>What metrics are called in tables and sentences.</summary>
internal static class MetricNames
{
    /// <summary>A metric's name: <c>macro F1</c>.</summary>
    public static string Get(Metric metric) => metric switch
    {
        Metric.MacroF1 => "macro F1",
        Metric.BalancedAccuracy => "balanced accuracy",
        Metric.Accuracy => "accuracy",
        Metric.Auc => "AUC",
        Metric.QuadraticKappa => "quadratic κ",
        _ => throw new ArgumentOutOfRangeException(nameof(metric)),
    };

    /// <summary>A metric's name where there is little room.</summary>
    public static string GetShort(Metric metric) => metric switch
    {
        Metric.MacroF1 => "F1",
        Metric.BalancedAccuracy => "bal. acc.",
        Metric.QuadraticKappa => "κ²",
        _ => Get(metric),
    };
}

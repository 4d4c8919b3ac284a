using MedMerge.Statistics;

namespace MedMerge.Training;

/// <summary>What a candidate scored on the validation split.</summary>
/// <param name="MacroF1">0 to 1.</param>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
public readonly record struct Validation(double MacroF1, double Loss)
{
    /// <summary>0 to 1.</summary>
    public double BalancedAccuracy { get; init; }

    /// <summary>0 to 1.</summary>
    public double Accuracy { get; init; }

    /// <summary>0 to 1; NaN if the split holds one class only.</summary>
    public double Auc { get; init; }

    /// <summary>−1 to 1.</summary>
    public double QuadraticKappa { get; init; }

    /// <summary>The score of a metric.</summary>
    public double Get(Metric metric) => metric switch
    {
        Metric.MacroF1 => MacroF1,
        Metric.BalancedAccuracy => BalancedAccuracy,
        Metric.Accuracy => Accuracy,
        Metric.Auc => Auc,
        Metric.QuadraticKappa => QuadraticKappa,
        _ => throw new ArgumentOutOfRangeException(nameof(metric)),
    };

    /// <summary>The higher score wins; of equal ones, which small validation splits often give, the lower loss.</summary>
    public bool IsBetterThan(Validation other, Metric metric = Metric.MacroF1)
    {
        var (score, otherScore) = (Get(metric), other.Get(metric));
        return score > otherScore || (score == otherScore && Loss < other.Loss);
    }
}

namespace MedMerge.Training;

/// <summary>What a candidate scored on the validation split.</summary>
/// <param name="MacroF1">0 to 1.</param>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
public readonly record struct Validation(double MacroF1, double Loss)
{
    /// <summary>Higher macro F1 wins; of equals, which small validation splits give often, the lower loss.</summary>
    public bool IsBetterThan(Validation other) => MacroF1 > other.MacroF1 || (MacroF1 == other.MacroF1 && Loss < other.Loss);
}

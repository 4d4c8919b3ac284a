using System.Text.Json.Nodes;

namespace MedMerge.Merging.Files;

/// <summary>The weighted mean Σᵢ wᵢxᵢ / Σᵢ wᵢ. With equal weights it is the uniform model soup (Wortsman et al. 2022).</summary>
internal sealed record WeightedMean : FileCombination
{
    private readonly double[] _shares;

    /// <param name="weights">One a file.</param>
    /// <exception cref="InputException">One is negative or not finite, or all are zero.</exception>
    public WeightedMean(IReadOnlyList<double> weights)
    {
        var sum = weights.Sum();
        if (!weights.All(weight => weight >= 0) || !double.IsFinite(sum) || sum == 0)
            throw new InputException("The weights of files must be numbers of 0 or more that are not all 0.");
        _shares = [.. weights.Select(weight => weight / sum)];
    }

    /// <inheritdoc />
    public override string Command => "average";

    /// <inheritdoc />
    public override IReadOnlyList<double> GetCoefficients(SourceTensors tensor) => _shares;

    /// <inheritdoc />
    public override void Describe(JsonObject record) =>
        record["weights"] = new JsonArray([.. _shares.Select(share => (JsonNode)share)]);
}

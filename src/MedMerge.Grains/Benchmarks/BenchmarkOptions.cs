using MedMerge.Experiments.Benchmarks;

namespace MedMerge.Grains.Benchmarks;

/// <summary>When a benchmark's run is flagged, and who is informed; the section <c>Benchmarks</c> of a silo's configuration.</summary>
public sealed class BenchmarkOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Benchmarks";

    private const double MaxSlower = 100;

    /// <summary>By what share a kind of stages may be slower than in the last accepted run. Default: 0.2.</summary>
    public double Slower { get; set; } = BenchmarkComparison.DefaultSlower;

    /// <summary>Who is informed of flagged runs.</summary>
    public WebhookOptions Webhook { get; set; } = new();

    /// <summary>Validates the options.</summary>
    /// <exception cref="InputException">Names the variable.</exception>
    public void Check()
    {
        if (Slower is not (>= 0 and <= MaxSlower))
            throw new InputException($"{Section}__{nameof(Slower)} must be from 0 to {MaxSlower}.");
        Webhook.Check($"{Section}__{nameof(Webhook)}");
    }
}

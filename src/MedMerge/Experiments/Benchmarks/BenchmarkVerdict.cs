using System.Text.Json.Serialization;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Benchmarks;

/// <summary>A run compared with an earlier one.</summary>
/// <param name="Baseline">Id of the earlier run; null where there was none.</param>
/// <param name="IsUnchanged">Whether data, settings and code planned the very same stages as for the run before.</param>
/// <param name="Scores">The rows that both runs have, without those whose predictions are the same bytes.</param>
/// <param name="Stages">The kinds of stages whose times can be compared.</param>
/// <param name="Changes">What else is different.</param>
/// <param name="Findings">The regressions.</param>
internal sealed record BenchmarkVerdict(
    string? Baseline,
    bool IsUnchanged,
    IReadOnlyList<ScoreChange> Scores,
    IReadOnlyList<StageChange> Stages,
    IReadOnlyList<BenchmarkChange> Changes,
    IReadOnlyList<BenchmarkFinding> Findings)
{
    /// <summary>Whether the run has a regression.</summary>
    [JsonIgnore]
    public bool IsFlagged => Findings.Count > 0;
}

/// <summary>A reason to flag a run.</summary>
/// <param name="Text">A sentence.</param>
internal sealed record BenchmarkFinding(FindingKind Kind, string Text);

/// <summary>The kind of a finding. In JSON, kept records included, by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FindingKind>))]
internal enum FindingKind
{
    /// <summary>Trials have no result.</summary>
    Missing,

    /// <summary>Equal inputs gave other bytes.</summary>
    OtherBytes,

    /// <summary>A score is lower.</summary>
    Score,

    /// <summary>A kind of stages is slower.</summary>
    Time,

    /// <summary>What a comparison needs is damaged.</summary>
    Incomparable,
}

/// <summary>How a row's score has changed.</summary>
/// <param name="Difference">Paired by seed and test image; null where the test images differ, or no seed is common.</param>
/// <param name="PValue">Of no difference, adjusted for all rows of all scenarios (Holm).</param>
internal sealed record ScoreChange(string Scenario, string Method, Metric Metric, int Seeds, Interval? Difference, double PValue)
{
    /// <summary>The level of the test.</summary>
    public const double Level = 0.05;

    /// <summary>Whether the score is lower: the interval lies below zero, and the adjusted test says so too.</summary>
    [JsonIgnore]
    public bool IsWorse => Difference is { IsBelowZero: true } && PValue <= Level;
}

/// <summary>How the time of a kind of stages has changed, for the same work.</summary>
/// <param name="Pairs">Stages that both runs have computed on the same device.</param>
/// <param name="Before">Seconds that they took before.</param>
/// <param name="After">Seconds that they took now.</param>
/// <param name="Ratio">Geometric mean of the ratios of seconds by work, with the interval of its noise.</param>
internal sealed record StageChange(string Kind, int Pairs, double Before, double After, Interval Ratio);

/// <summary>Something that differs between two runs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Before">Null where it was not there.</param>
/// <param name="After">Null where it is gone.</param>
internal sealed record BenchmarkChange(string Name, string? Before, string? After);

using System.Text.Json.Serialization;
using MedMerge.Experiments.Benchmarks;

namespace MedMerge.Storage.Benchmarks;

/// <summary>What became of a run. In JSON by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BenchmarkState>))]
internal enum BenchmarkState
{
    /// <summary>It has no regression.</summary>
    Passed,

    /// <summary>Its data, settings and code are those of the run before.</summary>
    Unchanged,

    /// <summary>It has a regression.</summary>
    Flagged,

    /// <summary>A user has accepted it.</summary>
    Accepted,
}

/// <summary>A benchmark in a list.</summary>
/// <param name="Title">Name of its specification, as the last run had it.</param>
/// <param name="Last">Id of the last run.</param>
/// <param name="Problem">Why nothing else is known; null for nothing.</param>
internal sealed record BenchmarkSummary(string Name, string Title, int Runs, string Last, BenchmarkState State, string? Problem = null);

/// <summary>The last runs of a benchmark.</summary>
/// <param name="Total">How many there are in all.</param>
/// <param name="Runs">Oldest first.</param>
internal sealed record BenchmarkHistory(string Name, int Total, IReadOnlyList<BenchmarkEntry> Runs);

/// <summary>A run with what became of it.</summary>
internal sealed record BenchmarkEntry(BenchmarkState State, BenchmarkRun Run)
{
    /// <summary>Adds its state to a run.</summary>
    /// <param name="accepted">Ids of the runs that a user has accepted.</param>
    public static BenchmarkEntry Of(BenchmarkRun run, IReadOnlySet<string> accepted) => new(
        accepted.Contains(run.Id) ? BenchmarkState.Accepted
            : run.Verdict.IsFlagged ? BenchmarkState.Flagged
            : run.Verdict.IsUnchanged ? BenchmarkState.Unchanged
            : BenchmarkState.Passed,
        run);
}

/// <summary>Two runs compared.</summary>
internal sealed record BenchmarkDiff(string From, string To, BenchmarkVerdict Verdict);

/// <summary>Whether a run has a regression that no user has accepted.</summary>
/// <param name="Baseline">Id of the run that it was compared with; null for none.</param>
internal sealed record BenchmarkCheck(
    string Run,
    string? Baseline,
    BenchmarkState State,
    IReadOnlyList<BenchmarkFinding> Findings);

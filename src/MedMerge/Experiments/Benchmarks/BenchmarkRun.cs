using System.Text.Json.Serialization;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Benchmarks;

/// <summary>One run of a benchmark, as it is kept for good once its sweep has ended.</summary>
/// <param name="Benchmark">The schedule's name.</param>
/// <param name="Id">The run's, such as <c>20261126t010000z</c>; ids sort by time.</param>
/// <param name="Sweep">The sweep's id.</param>
/// <param name="Title">The specification's name.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary.</param>
/// <param name="Stages">SHA-256 of the list of <see cref="BenchmarkStage"/>.</param>
/// <param name="StageKinds">What the stages took, by kind.</param>
/// <param name="Failure">Why the sweep failed as a whole; null where it did not.</param>
/// <param name="Verdict">The run compared with the last accepted one.</param>
internal sealed record BenchmarkRun(
    string Benchmark,
    string Id,
    string Sweep,
    string Title,
    BenchmarkCode Code,
    string Specification,
    string Plan,
    IReadOnlyList<BenchmarkScenario> Scenarios,
    string Stages,
    IReadOnlyList<BenchmarkStageKind> StageKinds,
    string? Failure,
    BenchmarkVerdict Verdict)
{
    /// <summary>
    /// Hash of the recipes of all trials: the same for runs that compute the same. Null where an older version recorded it.
    /// </summary>
    public string? Work { get; init; }

    /// <summary>Every artefact that later comparisons need.</summary>
    [JsonIgnore]
    public IEnumerable<string> Artefacts => Scenarios
        .SelectMany(scenario => scenario.Rows)
        .SelectMany(row => row.Trials)
        .Select(trial => trial.Predictions)
        .Append(Stages);

    /// <summary>How many trials were planned.</summary>
    [JsonIgnore]
    public int Planned => Scenarios.Sum(scenario => scenario.Rows.Sum(row => row.Planned));

    /// <summary>How many of them have a result.</summary>
    [JsonIgnore]
    public int Done => Scenarios.Sum(scenario => scenario.Rows.Sum(row => row.Trials.Count));
}

/// <summary>The code that a run was made with.</summary>
/// <param name="Version">As <c>medmerge --version</c> prints it.</param>
/// <param name="Build">The same for all builds of the same code.</param>
/// <param name="Packages">Versions of what numbers and times depend on.</param>
internal sealed record BenchmarkCode(string Version, string Build, IReadOnlyDictionary<string, string> Packages)
{
    /// <summary>Whether it is the same build with the same packages.</summary>
    public bool IsSameAs(BenchmarkCode other) => Build == other.Build && Packages.ToHashSet().SetEquals(other.Packages);
}

/// <summary>The results of a scenario.</summary>
/// <param name="Target">The data set's name.</param>
/// <param name="TargetHash">Hash of everything that training can see.</param>
/// <param name="Sources">For each source the recipe of the stage that provides it, a hash of its file or of its pretraining.</param>
/// <param name="Settings">Values by path, as written.</param>
internal sealed record BenchmarkScenario(
    string Name,
    string Target,
    string TargetHash,
    Metric Metric,
    IReadOnlyDictionary<string, string> Sources,
    IReadOnlyDictionary<string, string> Settings,
    IReadOnlyList<BenchmarkRow> Rows);

/// <summary>The results of a method, on the test split.</summary>
/// <param name="Method">The row's title: method, and source where it has one.</param>
/// <param name="Planned">Number of seeds.</param>
/// <param name="Score">The mean over the seeds that have a result; null where none has.</param>
internal sealed record BenchmarkRow(string Method, int Planned, Interval? Score, IReadOnlyList<BenchmarkTrial> Trials);

/// <summary>The result of one seed.</summary>
/// <param name="Predictions">SHA-256 of its predictions, which the store keeps as long as the run.</param>
internal sealed record BenchmarkTrial(ulong Seed, string Predictions, double Score);

/// <summary>What the stages of a kind took.</summary>
/// <param name="Stages">How many the plan has.</param>
/// <param name="Computed">How many of them were computed since the last run; the others were in the store.</param>
/// <param name="Seconds">Seconds of devices that these took.</param>
internal sealed record BenchmarkStageKind(string Kind, int Stages, int Computed, double Seconds);

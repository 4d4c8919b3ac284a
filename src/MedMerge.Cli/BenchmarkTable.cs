using System.Globalization;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Storage.Benchmarks;

namespace MedMerge.Cli;

/// <summary>Benchmarks as text.</summary>
internal static class BenchmarkTable
{
    private const string None = "-";
    private const int HashDigits = 12;

    /// <summary>All benchmarks.</summary>
    public static string Render(IEnumerable<BenchmarkSummary> benchmarks) => TextTable.Render(
    [
        ["name", "specification", "runs", "last", "state"],
        .. benchmarks.Select(benchmark => (string[])
        [
            benchmark.Name,
            benchmark.Title,
            $"{benchmark.Runs}",
            benchmark.Last,
            benchmark.Problem ?? Write(benchmark.State),
        ]),
    ]).TrimEnd();

    /// <summary>The last runs of a benchmark: scores by method, times by kind of stage, and findings.</summary>
    public static string Render(BenchmarkHistory history)
    {
        var runs = history.Runs;
        var last = runs[^1];
        var parts = new List<string>
        {
            $"{history.Name} ({last.Run.Title}): {history.Total} runs, the last one {Write(last.State)}",
            TextTable.Render([["run", "state", "compared with", "trials", "version"], .. runs.Select(DescribeRun)]).TrimEnd(),
        };
        parts.AddRange(last.Run.Scenarios.Select(scenario => RenderScores(scenario, runs)));
        parts.Add(RenderTimes(runs));
        parts.AddRange(runs
            .Where(entry => entry.Run.Verdict.IsFlagged)
            .Select(entry => $"{entry.Run.Id} was flagged:\n{RenderFindings(entry.Run.Verdict.Findings)}"));
        return string.Join("\n\n", parts);
    }

    /// <summary>Two runs compared.</summary>
    public static string Render(BenchmarkDiff diff)
    {
        var verdict = diff.Verdict;
        var parts = new List<string> { $"{diff.To} compared with {diff.From}{(verdict.IsUnchanged ? ": unchanged" : "")}" };
        if (verdict.Changes.Count > 0)
        {
            parts.Add(TextTable.Render(
            [
                ["changed", "before", "after"],
                .. verdict.Changes.Select(change => (string[])[change.Name, Shorten(change.Before), Shorten(change.After)]),
            ]).TrimEnd());
        }
        if (verdict.Scores.Count > 0)
        {
            parts.Add(TextTable.Render(
            [
                ["scenario", "method", "metric", "seeds", "difference in points", "adjusted p"],
                .. verdict.Scores.Select(DescribeScore),
            ]).TrimEnd());
        }
        if (verdict.Stages.Count > 0)
        {
            parts.Add(TextTable.Render(
            [
                ["stage", "pairs", "before", "after", "ratio for equal work"],
                .. verdict.Stages.Select(DescribeTime),
            ]).TrimEnd());
        }
        parts.Add(verdict.IsFlagged ? RenderFindings(verdict.Findings) : "No regression.");
        return string.Join("\n\n", parts);
    }

    /// <summary>The check of a run.</summary>
    public static string Render(string benchmark, BenchmarkCheck check)
    {
        var baseline = check.Baseline is { } id ? $", compared with {id}" : "";
        var head = $"{benchmark}: {check.Run} {Write(check.State)}{baseline}";
        return check.Findings.Count == 0 ? head : $"{head}\n{RenderFindings(check.Findings)}";
    }

    private static string[] DescribeRun(BenchmarkEntry entry) =>
    [
        entry.Run.Id,
        Write(entry.State),
        entry.Run.Verdict.Baseline ?? None,
        $"{entry.Run.Done} of {entry.Run.Planned}",
        Shorten(entry.Run.Code.Version),
    ];

    private static string RenderScores(BenchmarkScenario scenario, IReadOnlyList<BenchmarkEntry> runs)
    {
        var table = TextTable.Render(
        [
            ["method", .. runs.Select(entry => entry.Run.Id)],
            .. scenario.Rows.Select(row => (string[])
            [
                row.Method,
                .. runs.Select(entry => FindScore(entry.Run, scenario.Name, row.Method)),
            ]),
        ]).TrimEnd();
        return $"{scenario.Name}: {MetricNames.Get(scenario.Metric)} × 100, mean over seeds with 95 % interval\n{table}";
    }

    private static string FindScore(BenchmarkRun run, string scenario, string method)
    {
        var row = run.Scenarios.FirstOrDefault(found => found.Name == scenario)?.Rows.FirstOrDefault(found => found.Method == method);
        return row?.Score is { } score ? Write(score, "0.0") : None;
    }

    private static string RenderTimes(IReadOnlyList<BenchmarkEntry> runs)
    {
        var kinds = runs.SelectMany(entry => entry.Run.StageKinds.Select(kind => kind.Kind)).Distinct();
        var table = TextTable.Render(
        [
            ["stage", .. runs.Select(entry => entry.Run.Id)],
            .. kinds.Select(kind => (string[])[kind, .. runs.Select(entry => FindTime(entry.Run, kind))]),
        ]).TrimEnd();
        return $"Seconds of devices, and how many stages were computed; the others were in the store\n{table}";
    }

    private static string FindTime(BenchmarkRun run, string kind)
    {
        var found = run.StageKinds.FirstOrDefault(known => known.Kind == kind);
        if (found is null) return None;
        return string.Create(CultureInfo.InvariantCulture, $"{found.Seconds:0.0} s ({found.Computed} of {found.Stages})");
    }

    private static string[] DescribeScore(ScoreChange change) =>
    [
        change.Scenario,
        change.Method,
        MetricNames.Get(change.Metric),
        $"{change.Seeds}",
        change.Difference is { } difference ? Write(difference, "+0.0;−0.0;0.0") : "test images differ",
        change.Difference is null ? None : change.PValue.ToString("0.0000", CultureInfo.InvariantCulture),
    ];

    private static string[] DescribeTime(StageChange change) =>
    [
        change.Kind,
        $"{change.Pairs}",
        string.Create(CultureInfo.InvariantCulture, $"{change.Before:0.0} s"),
        string.Create(CultureInfo.InvariantCulture, $"{change.After:0.0} s"),
        Write(change.Ratio, "0.00", factor: 1),
    ];

    private static string RenderFindings(IEnumerable<BenchmarkFinding> findings) =>
        string.Join('\n', findings.Select(finding => $"  {finding.Text}"));

    private static string Write(Interval interval, string format, double factor = 100)
    {
        var estimate = Write(interval.Estimate);
        return double.IsNaN(interval.Low) ? estimate : $"{estimate} ({Write(interval.Low)} to {Write(interval.High)})";

        string Write(double value) => (factor * value).ToString(format, CultureInfo.InvariantCulture);
    }

    private static string Write(BenchmarkState state) => state.ToString().ToLowerInvariant();

    /// <summary>Shortens the hashes in a text.</summary>
    private static string Shorten(string? text) => text is null
        ? None
        : string.Join(' ', text.Split(' ').Select(word => string.Join('+', word.Split('+').Select(ShortenWord))));

    private static string ShortenWord(string word) => word.Length >= 32 && word.All(char.IsAsciiHexDigit) ? word[..HashDigits] : word;
}

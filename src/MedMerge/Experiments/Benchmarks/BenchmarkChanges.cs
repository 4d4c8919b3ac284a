namespace MedMerge.Experiments.Benchmarks;

/// <summary>What differs between two runs besides scores and times.</summary>
internal static class BenchmarkChanges
{
    /// <summary>Lists the differences: code, packages, and scenario by scenario data, sources and settings.</summary>
    public static IReadOnlyList<BenchmarkChange> Find(BenchmarkRun before, BenchmarkRun after)
    {
        var first = Describe(before);
        var second = Describe(after);
        return [.. first.Keys.Union(second.Keys)
            .Select(name => new BenchmarkChange(name, first.GetValueOrDefault(name), second.GetValueOrDefault(name)))
            .Where(change => change.Before != change.After)];
    }

    private static Dictionary<string, string> Describe(BenchmarkRun run)
    {
        var values = new Dictionary<string, string>
        {
            ["version"] = run.Code.Version,
            ["build"] = run.Code.Build,
        };
        foreach (var (name, version) in run.Code.Packages) values[$"package {name}"] = version;
        foreach (var scenario in run.Scenarios)
        {
            var prefix = run.Scenarios.Count == 1 ? "" : $"{scenario.Name}: ";
            values[$"{prefix}target"] = $"{scenario.Target} {scenario.TargetHash}";
            values[$"{prefix}methods"] = string.Join(", ", scenario.Rows.Select(row => row.Method));
            values[$"{prefix}seeds"] = $"{scenario.Rows.Select(row => row.Planned).DefaultIfEmpty().Max()}";
            foreach (var (name, key) in scenario.Sources) values[$"{prefix}source {name}"] = key;
            foreach (var (path, value) in scenario.Settings) values[$"{prefix}{path}"] = value;
        }
        return values;
    }
}

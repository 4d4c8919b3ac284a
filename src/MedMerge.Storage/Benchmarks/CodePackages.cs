using System.Text.Json;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Storage.Schedules;
using TorchSharp;

namespace MedMerge.Storage.Benchmarks;

/// <summary>Names the code of this process: version, build, and the packages that numbers and times depend on.</summary>
internal static class CodePackages
{
    private const string DependencyFiles = "APP_CONTEXT_DEPS_FILES";
    private static readonly string[] Prefixes = ["TorchSharp", "libtorch"];

    /// <summary>This process's code.</summary>
    public static BenchmarkCode Current { get; } = Read();

    /// <summary>Versions by name in the text of a <c>deps.json</c>: libtorch with its binding.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> ReadDependencies(string json)
    {
        using var document = JsonDocument.Parse(json);
        if (!document.RootElement.TryGetProperty("libraries", out var libraries)) yield break;
        foreach (var library in libraries.EnumerateObject())
        {
            if (library.Name.Split('/') is not [var name, var version]) continue;
            if (Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))) yield return new(name, version);
        }
    }

    private static BenchmarkCode Read()
    {
        var packages = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [".NET"] = Environment.Version.ToString(),
            ["TorchSharp"] = typeof(torch).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        };
        foreach (var (name, found) in ReadFiles()) packages[name] = found;
        return new BenchmarkCode(ProductVersion.Current, CodeVersion.Current, packages);
    }

    private static IEnumerable<KeyValuePair<string, string>> ReadFiles()
    {
        var files = (AppContext.GetData(DependencyFiles) as string ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries);
        return files.Where(File.Exists).SelectMany(file => ReadDependencies(File.ReadAllText(file)));
    }
}

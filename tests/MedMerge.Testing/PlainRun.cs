using System.Collections.Concurrent;
using MedMerge.Storage;

namespace MedMerge.Testing;

/// <summary>What <c>medmerge run</c> gives for a specification: the measure for every cluster.</summary>
public static class PlainRun
{
    private static readonly Dictionary<string, string> NoEnvironment = [];
    private static readonly ConcurrentDictionary<string, Lazy<Task<SortedDictionary<string, string>>>> Results = new();

    /// <summary>Every stage's output, computed once for each specification.</summary>
    public static Task<SortedDictionary<string, string>> OutputsAsync(string yaml) =>
        Results.GetOrAdd(yaml, key => new Lazy<Task<SortedDictionary<string, string>>>(() => RunAsync(key))).Value;

    /// <summary>Runs it anew.</summary>
    /// <param name="environment">What the command is given besides.</param>
    public static async Task<SortedDictionary<string, string>> RunAsync(
        string yaml,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-plain-").FullName;
        try
        {
            var specification = Path.Combine(folder, "spec.yaml");
            var store = Path.Combine(folder, "store");
            File.WriteAllText(specification, yaml);
            await CommandProcess.RunAsync(environment ?? NoEnvironment, "run", specification, "--store", store, "--json");
            return await StageOutputs.ReadAsync(new FolderObjectStore(store));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using System.Diagnostics;
using MedMerge.Storage;

namespace MedMerge.Cluster.Tests;

/// <summary>What <c>medmerge run</c> gives for the small specification: the measure for every cluster.</summary>
internal static class PlainRun
{
    private static readonly Lazy<Task<(string Json, SortedDictionary<string, string> Outputs)>> Result = new(RunAsync);

    /// <summary>The results as JSON, and every stage's output.</summary>
    public static Task<(string Json, SortedDictionary<string, string> Outputs)> OnceAsync() => Result.Value;

    private static async Task<(string, SortedDictionary<string, string>)> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-plain-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "spec.yaml"), Specifications.Small);
            var start = new ProcessStartInfo("dotnet",
                [Repository.Program("MedMerge.Cli"), "run", Path.Combine(folder, "spec.yaml"), "--store", Path.Combine(folder, "store"), "--json"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var json = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            Assert.True(process.ExitCode == 0, await error);
            return (json, await TestCluster.OutputsAsync(new FolderObjectStore(Path.Combine(folder, "store"))));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

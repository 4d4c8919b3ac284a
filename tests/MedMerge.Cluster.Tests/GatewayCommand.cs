using System.Diagnostics;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>The command, as a user runs it.</summary>
internal static class GatewayCommand
{
    /// <summary><c>medmerge submit</c>; gives the sweep's id.</summary>
    public static async Task<string> SubmitAsync(ServiceProcess gateway, string yaml)
    {
        var file = Path.Combine(Path.GetTempPath(), $"medmerge-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(file, yaml);
        try
        {
            return (await RunAsync("submit", file, "--gateway", gateway.Http.ToString())).Trim();
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidOperationException($"{error.Message}\n{gateway.Log}", error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Runs <c>medmerge</c>; gives what it wrote.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.Program("MedMerge.Cli"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var answer = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode == 0 ? answer : throw new InvalidOperationException($"{process.ExitCode}: {await error}");
    }
}

using System.Diagnostics;

namespace MedMerge.Testing;

/// <summary><c>medmerge</c> as a process of its own.</summary>
public static class CommandProcess
{
    /// <summary>Runs it; gives what it wrote.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has its exit code and what it said.</exception>
    public static Task<string> RunAsync(params string[] arguments) => RunAsync(new Dictionary<string, string>(), arguments);

    /// <inheritdoc cref="RunAsync(string[])" />
    /// <param name="environment">What it is given besides this process's own.</param>
    public static async Task<string> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.Program("MedMerge.Cli"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var answer = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode == 0 ? answer : throw new InvalidOperationException($"{process.ExitCode}: {await error}");
    }
}

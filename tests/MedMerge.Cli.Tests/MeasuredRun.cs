using System.Diagnostics;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>A command in a process of its own.</summary>
internal static class MeasuredRun
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Runs a command that succeeds, and says something.</summary>
    /// <returns>The process's highest resident memory, in bytes, and what it wrote to standard error.</returns>
    public static async Task<(long Peak, string Error)> RunAsync(
        string folder,
        IEnumerable<string> arguments,
        params (string Name, string Value)[] variables)
    {
        var (code, peak, output, error) = await MeasureAsync(folder, arguments, variables);
        Assert.True(code == 0, error);
        Assert.NotEmpty(output);
        return (peak, error);
    }

    /// <summary>Runs a command.</summary>
    /// <returns>Exit code, the process's highest resident memory, in bytes, and what it wrote.</returns>
    public static async Task<(int Code, long Peak, string Output, string Error)> MeasureAsync(
        string folder,
        IEnumerable<string> arguments,
        params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.Program("MedMerge.Cli"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var exit = process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var peak = 0L;
        while (!exit.IsCompleted)
        {
            peak = Math.Max(peak, ReadPeak(process));
            await Task.WhenAny(exit, Task.Delay(Interval, CancellationToken.None));
        }
        await exit;
        return (process.ExitCode, peak, await output, await error);
    }

    /// <returns>VmHWM, which only grows, and ends with the process; 0 once it has ended.</returns>
    private static long ReadPeak(Process process)
    {
        try
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
        catch (InvalidOperationException) when (process.HasExited)
        {
            return 0; // between two looks at it
        }
    }
}

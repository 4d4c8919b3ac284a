using System.Diagnostics;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>A real process, interrupted and killed.</summary>
public sealed class InterruptTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly string Command = Path.Combine(AppContext.BaseDirectory, "MedMerge.Cli.dll");
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-interrupt-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("INT", ExitCodes.Interrupted)]
    [InlineData("TERM", ExitCodes.Interrupted)]
    [InlineData("KILL", 137)]
    public async Task A_run_that_is_interrupted_at_any_stage_resumes_and_gives_the_same_result(string signal, int expected)
    {
        var isIgnored = signal == "INT" && IsInterruptIgnored();
        Assert.SkipWhen(isIgnored, "This process ignores SIGINT, as under nohup, and so do those that it starts.");
        var specification = new SpecificationBuilder { Methods = "[medmerge, lp-ft]", Images = 64, SourceImages = 64 }.WithEpochs(3);
        File.WriteAllText(Path.Combine(_folder, "spec.yaml"), specification.Yaml);

        var (undisturbedCode, undisturbed, problem) = await RunAsync("undisturbed", null, 0);
        Assert.True(undisturbedCode == 0, problem);
        for (var interruptions = 0; ; interruptions++)
        {
            var (code, result, error) = await RunAsync("store", signal, afterStages: 1 + (2 * interruptions));
            if (code == 0)
            {
                Assert.True(interruptions >= 3, $"The run was interrupted only {interruptions} times.");
                Assert.Equal(undisturbed, result);
                return;
            }
            Assert.True(code == expected, $"exit code {code}: {error}");
        }
    }

    [Fact]
    public async Task The_second_signal_ends_a_process_that_ignores_the_first()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no named pipes in folders.");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var pipe = Path.Combine(_folder, "pipe");
        await RunToEndAsync("mkfifo", [pipe], deadline.Token);
        var start = new ProcessStartInfo("dotnet", [Command, "inspect", pipe]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        // Opens when the process starts to read; the process then waits for bytes that never come.
        await using var writer = await Task.Run(
            () => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite),
            deadline.Token);

        await SignalAsync(process, "TERM", deadline.Token);
        await Task.Delay(TimeSpan.FromSeconds(1), deadline.Token);
        Assert.False(process.HasExited);
        await SignalAsync(process, "TERM", deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        Assert.Equal(128 + 15, process.ExitCode);
    }

    /// <summary>Reads the mask of ignored signals (proc_pid_status(5)); SIGINT is signal 2.</summary>
    private static bool IsInterruptIgnored()
    {
        if (!OperatingSystem.IsLinux()) return false;
        var mask = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
        return (Convert.ToUInt64(mask["SigIgn:".Length..].Trim(), 16) & (1UL << 1)) != 0;
    }

    private static Task SignalAsync(Process process, string signal, CancellationToken cancellation) =>
        RunToEndAsync("kill", ["-" + signal, $"{process.Id}"], cancellation);

    private static async Task RunToEndAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(cancellation);
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Runs the command and sends a signal after it has finished a number of further stages.</summary>
    private async Task<(int Code, string Output, string Error)> RunAsync(string store, string? signal, int afterStages)
    {
        var storeFolder = Path.Combine(_folder, store);
        var stagesFolder = Path.Combine(storeFolder, "stages");
        string[] arguments = [Command, "run", Path.Combine(_folder, "spec.yaml"), "--store", storeFolder, "--json"];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var before = CountStages();
        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        while (signal is not null && !process.HasExited)
        {
            if (CountStages() >= before + afterStages)
            {
                await SignalAsync(process, signal, deadline.Token);
                break;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), deadline.Token);
        }
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output, await error);

        int CountStages() => Directory.Exists(stagesFolder) ? Directory.GetFiles(stagesFolder).Length : 0;
    }
}

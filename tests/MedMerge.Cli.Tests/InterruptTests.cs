using System.Diagnostics;

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
    public async Task Interrupted_at_any_stage_it_goes_on_and_ends_with_the_same_result(string signal, int expected)
    {
        File.WriteAllText(Path.Combine(_folder, "spec.yaml"), TinySpecification.Yaml("[medmerge, lp-ft]", images: 64, epochs: 3));
        var (undisturbedCode, undisturbed) = await RunAsync("undisturbed", null, 0);
        Assert.Equal(0, undisturbedCode);
        for (var stage = 1; ; stage += 3)
        {
            var (code, result) = await RunAsync("store", signal, stage);
            if (code == 0)
            {
                Assert.True(stage > 4, "The run ended before it was ever interrupted.");
                Assert.Equal(undisturbed, result);
                return;
            }
            Assert.Equal(expected, code);
        }
    }

    [Fact]
    public async Task The_second_signal_ends_a_process_that_does_not_heed_the_first()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no named pipes in folders.");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var pipe = Path.Combine(_folder, "pipe");
        await RunToEndAsync("mkfifo", [pipe], deadline.Token);
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Command, "inspect", pipe]) { RedirectStandardError = true })!;
        // Opens once the process reads; it then waits for bytes that never come.
        await using var held = await Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite), deadline.Token);

        await SignalAsync(process, "TERM", deadline.Token);
        await Task.Delay(TimeSpan.FromSeconds(1), deadline.Token);
        Assert.False(process.HasExited);
        await SignalAsync(process, "TERM", deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        Assert.Equal(128 + 15, process.ExitCode);
    }

    private static Task SignalAsync(Process process, string signal, CancellationToken cancellation) => RunToEndAsync("kill", ["-" + signal, $"{process.Id}"], cancellation);

    private static async Task RunToEndAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(cancellation);
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Runs the command and sends a signal when it starts its n-th stage.</summary>
    private async Task<(int Code, string Output)> RunAsync(string store, string? signal, int stage)
    {
        var start = new ProcessStartInfo("dotnet", [Command, "run", Path.Combine(_folder, "spec.yaml"), "--store", Path.Combine(_folder, store), "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var seen = 0;
        while (await process.StandardError.ReadLineAsync(deadline.Token) is { } line)
        {
            if (!line.StartsWith('[') || signal is null || ++seen != Math.Min(stage, 3)) continue;
            await SignalAsync(process, signal, deadline.Token);
        }
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output);
    }
}

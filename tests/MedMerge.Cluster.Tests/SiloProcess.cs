using System.Collections.Concurrent;
using System.Diagnostics;

namespace MedMerge.Cluster.Tests;

/// <summary>A silo as a process of its own, to be killed, stopped and woken.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly string Command = Repository.Program("MedMerge.Silo");
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();

    private SiloProcess(Process process, int http, int port) => (_process, Http, Port) = (process, new Uri($"http://127.0.0.1:{http}"), port);

    public Uri Http { get; }

    /// <summary>The silo's own port, by which grains' answers name it.</summary>
    public int Port { get; }

    /// <summary>What it has said so far.</summary>
    public string Log => string.Join('\n', _log);

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public static SiloProcess Start(IReadOnlyDictionary<string, string> environment)
    {
        var (http, port) = (FreePorts.Take(), FreePorts.Take());
        var start = new ProcessStartInfo("dotnet", [Command]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http}";
        start.Environment["Orleans__Endpoints__AdvertisedIPAddress"] = "127.0.0.1";
        start.Environment["Orleans__Endpoints__SiloPort"] = $"{port}";
        start.Environment["Orleans__Endpoints__GatewayPort"] = $"{FreePorts.Take()}";
        var process = Process.Start(start)!;
        var silo = new SiloProcess(process, http, port);
        process.OutputDataReceived += silo.Hear;
        process.ErrorDataReceived += silo.Hear;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return silo;
    }

    /// <summary>Waits until it is an active member of its cluster.</summary>
    public async Task ReadyAsync()
    {
        using var client = new HttpClient();
        var time = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited) throw new InvalidOperationException($"The silo ended with {_process.ExitCode}:\n{Log}");
            try
            {
                if ((await client.GetAsync(new Uri(Http, "/health/ready"), TestContext.Current.CancellationToken)).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // not yet
            }
            if (time.Elapsed > StartDeadline) throw new TimeoutException($"The silo is not ready after {StartDeadline}:\n{Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Sends a signal by name: STOP, CONT, TERM.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public Task ExitAsync(TimeSpan deadline) => _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(deadline, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Hear(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null) _log.Enqueue(line.Data);
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>A process of ours that serves HTTP on a free port: a silo, a gateway.</summary>
public class ServiceProcess : IAsyncDisposable
{
    private const int RestartExitCode = 75;
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private readonly ProcessStartInfo _start;
    private Process _process;
    private readonly ConcurrentQueue<string> _log = new();

    /// <param name="name">As telemetry calls it.</param>
    /// <param name="kept">What is kept of this process's environment; null for all of it.</param>
    protected ServiceProcess(string program, string name, IReadOnlyDictionary<string, string> environment, string[]? kept = null)
    {
        var http = FreePorts.Take();
        Http = new Uri($"http://127.0.0.1:{http}");
        var start = new ProcessStartInfo("dotnet", [Repository.Program(program)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var key in start.Environment.Keys.Where(key => kept?.Contains(key) == false).ToList()) start.Environment.Remove(key);
        foreach (var (key, value) in environment) start.Environment[key] = value;
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http}";
        start.Environment["OTEL_SERVICE_NAME"] = name;
        start.Environment["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={http}";
        _start = start;
        _process = Start();
    }

    public Uri Http { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What it has said so far.</summary>
    public string Log => string.Join('\n', _log);

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>A gateway.</summary>
    public static ServiceProcess Gateway(IReadOnlyDictionary<string, string> environment) =>
        new("MedMerge.Gateway", "gateway", environment);

    /// <summary>A process with these variables and next to nothing else.</summary>
    public static ServiceProcess Alone(string program, string name, IReadOnlyDictionary<string, string> environment, string[] kept) =>
        new(program, name, environment, kept);

    /// <summary>Waits until it is ready; one that asks to be started again meanwhile is, as orchestrators do it.</summary>
    public async Task ReadyAsync()
    {
        using var client = new HttpClient();
        var time = Stopwatch.StartNew();
        while (true)
        {
            if (_process is { HasExited: true, ExitCode: RestartExitCode }) _process = Start();
            if (_process.HasExited) throw new InvalidOperationException($"The process ended with {_process.ExitCode}:\n{Log}");
            try
            {
                using var answer = await client.GetAsync(new Uri(Http, "/health/ready"), Cancellation);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // not yet
            }
            if (time.Elapsed > StartDeadline) throw new TimeoutException($"The process is not ready after {StartDeadline}:\n{Log}");
            await Task.Delay(PollInterval, Cancellation);
        }
    }

    /// <summary>Waits until it says why it is not ready, in these words.</summary>
    public async Task NotReadyAsync(string why)
    {
        using var client = new HttpClient();
        var time = Stopwatch.StartNew();
        for (var said = ""; !said.Contains(why, StringComparison.Ordinal); await Task.Delay(PollInterval, Cancellation))
        {
            if (_process.HasExited || time.Elapsed > StartDeadline) Assert.Fail($"It does not say '{why}' but '{said}':\n{Log}");
            try
            {
                using var answer = await client.GetAsync(new Uri(Http, "/health/ready"), Cancellation);
                if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) said = await answer.Content.ReadAsStringAsync(Cancellation);
            }
            catch (HttpRequestException)
            {
                // not yet
            }
        }
        using var live = await client.GetAsync(new Uri(Http, "/health/live"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
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

    public Task ExitAsync(TimeSpan deadline) => _process.WaitForExitAsync(Cancellation).WaitAsync(deadline, Cancellation);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    private Process Start()
    {
        var process = Process.Start(_start)!;
        process.OutputDataReceived += OnLine;
        process.ErrorDataReceived += OnLine;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void OnLine(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null) _log.Enqueue(line.Data);
    }
}

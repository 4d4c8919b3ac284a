using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

[assembly: AssemblyFixture(typeof(MedMerge.Cluster.Tests.GarnetServer))]

namespace MedMerge.Cluster.Tests;

/// <summary>A real Redis-compatible server for all tests of this assembly: Garnet, from the tool manifest, on a free port.</summary>
public sealed class GarnetServer : IAsyncLifetime
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(1);
    private readonly int _port = FreePorts.Take();
    private Process? _process;

    public string ConnectionString => $"127.0.0.1:{_port}";

    public async ValueTask InitializeAsync()
    {
        var start = new ProcessStartInfo("dotnet", ["tool", "run", "garnet-server", "--", "--bind", "127.0.0.1", "--port", $"{_port}", "--lua"])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        var output = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var deadline = new CancellationTokenSource(StartDeadline);
        while (!await AnswersAsync(_port))
        {
            if (_process.HasExited) throw new InvalidOperationException($"Garnet did not start (dotnet tool restore?): {await output} {await error}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

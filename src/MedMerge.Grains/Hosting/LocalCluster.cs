using System.Net;
using System.Net.Sockets;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Running;
using MedMerge.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace MedMerge.Grains.Hosting;

/// <summary>
/// A cluster of one node inside this process, on loopback: what <c>medmerge run</c> works with, by the very grains of a
/// real one.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    /// <summary>Less than a node's: the store is a folder on this machine, and its memory is needed for other things.</summary>
    private const long OutputCacheMiB = 128;

    private readonly IHost _host;

    private LocalCluster(IHost host, int gatewayPort)
    {
        _host = host;
        GatewayPort = gatewayPort;
    }

    /// <summary>Where clients of the cluster connect to, on loopback.</summary>
    public int GatewayPort { get; }

    /// <summary>What its node knows of the cluster.</summary>
    internal ClusterView View => Services.GetRequiredService<ClusterView>();

    /// <summary>Its node's services.</summary>
    internal IServiceProvider Services => _host.Services;

    /// <summary>The way to its grains.</summary>
    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Starts it.</summary>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <param name="log">Lets the silo's own log through, for finding faults.</param>
    /// <param name="telemetry">Adds telemetry to its host; null for none.</param>
    /// <param name="lanes">As <see cref="NodeOptions.Lanes"/>.</param>
    public static async Task<LocalCluster> StartAsync(
        IObjectStore objects,
        string device,
        bool log,
        CancellationToken cancellation,
        Action<IHostApplicationBuilder>? telemetry = null,
        int? lanes = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        if (!log) builder.Logging.AddFilter<ConsoleLoggerProvider>(IsUnexpected);
        builder.Services.AddSingleton(objects);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(NameOwner(objects));
        builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        var node = new NodeOptions { Device = device, Lanes = lanes, OutputCacheMiB = OutputCacheMiB };
        telemetry?.Invoke(builder);
        var (siloPort, gatewayPort) = FreePorts();
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort);
            silo.AddMedMerge(node, keepsSweeps: false);
            if (telemetry is not null) silo.AddActivityPropagation();
        });
        var host = builder.Build();
        await host.StartAsync(cancellation).ConfigureAwait(false);
        return new LocalCluster(host, gatewayPort);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().ConfigureAwait(false);
        if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// A process that shares a store with clusters has a name of its own. In a folder one process at a time runs a sweep,
    /// and continues at once what another began.
    /// </summary>
    private static SweepOwner NameOwner(IObjectStore objects) => new(objects is AzureBlobStore
        ? $"medmerge run on {Environment.MachineName}, process {Environment.ProcessId}, {Guid.NewGuid():N}"
        : "medmerge run");

    /// <summary>
    /// Errors of our own are shown with their stacks whether or not the log is.
    /// </summary>
    private static bool IsUnexpected(string? category, LogLevel level) =>
        level >= LogLevel.Error && category?.StartsWith("MedMerge.", StringComparison.Ordinal) == true;

    /// <summary>Two ports that are free now; held at the same time, so that they differ.</summary>
    private static (int, int) FreePorts()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        using var second = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        second.Start();
        return (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);
    }

    /// <summary>The process's signals are for whoever started the cluster, not for the host.</summary>
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

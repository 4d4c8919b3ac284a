using Azure;
using Azure.Data.Tables;
using Azure.Identity;
using MedMerge.Clustering;
using MedMerge.Grains;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Configuration;

namespace MedMerge.Silo;

/// <summary>
/// What a node needs before it can start. It waits, for in a cluster everything starts at once; meanwhile its health endpoints
/// say that it is alive, not ready, and what it waits for.
/// </summary>
internal sealed partial class Dependencies(IConfiguration configuration, string[] args, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);
    private WebApplication? _healthServer;
    private string _waitingFor = "";

    /// <summary>Cancelled when the process is asked to stop while it waits.</summary>
    private CancellationToken Stopping => _healthServer?.Lifetime.ApplicationStopping ?? CancellationToken.None;

    /// <summary>The folder <c>Store__Folder</c>, or the blob service of <c>ConnectionStrings__blobs</c>.</summary>
    /// <param name="beforeWrite">Called before every request that changes the blob service; may throw.</param>
    /// <exception cref="InputException">Neither is set, or it can't be used.</exception>
    /// <exception cref="OperationCanceledException">The process is asked to stop.</exception>
    public Task<IObjectStore> StoreAsync(Action beforeWrite)
    {
        var connection = configuration.GetConnectionString(ClusterNames.Blobs);
        return WaitForAsync("the store", () => ObjectStores.OpenAsync(configuration["Store:Folder"], connection, beforeWrite, Stopping));
    }

    /// <summary>The store's identity, once it is known that the cluster uses the same store.</summary>
    /// <exception cref="InputException">It uses another one.</exception>
    /// <exception cref="OperationCanceledException">The process is asked to stop.</exception>
    public Task<string> StoreIdentityAsync(IObjectStore store, TableServiceClient tables) =>
        WaitForAsync("the cluster's store", async () =>
        {
            var identity = await StoreIdentity.EnsureAsync(store, Stopping).ConfigureAwait(false);
            var cluster = configuration["Orleans:ClusterId"] ?? ClusterOptions.DefaultClusterId;
            await ClusterStore.CheckAsync(tables, cluster, identity, TimeProvider.System, Stopping).ConfigureAwait(false);
            return identity;
        });

    /// <summary>The table service that holds the cluster's members.</summary>
    /// <exception cref="InputException">Its connection is not set or can't be understood.</exception>
    /// <exception cref="OperationCanceledException">The process is asked to stop.</exception>
    public Task<TableServiceClient> TablesAsync()
    {
        var tables = ClusterTable.Connect(configuration);
        return WaitForAsync("the membership table", async () =>
        {
            await ClusterTable.EnsureExistsAsync(tables, Stopping).ConfigureAwait(false);
            return tables;
        });
    }

    /// <summary>Frees the address for the node itself.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_healthServer is not null) await _healthServer.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<T> WaitForAsync<T>(string what, Func<Task<T>> open)
    {
        _waitingFor = $"Waiting for {what}.";
        while (true)
        {
            try
            {
                var opening = open();
                if (await Task.WhenAny(opening, Task.Delay(AnswerTimeout)).ConfigureAwait(false) != opening)
                    await ServeHealthAsync().ConfigureAwait(false);
                return await opening.WaitAsync(Stopping).ConfigureAwait(false);
            }
            catch (Exception error) when (MayPass(error) && !Stopping.IsCancellationRequested)
            {
                var waitingFor = $"Waiting for {what}: {ErrorText.FirstLine(error)}";
                LogWaiting(logger, waitingFor == _waitingFor ? null : error, waitingFor, RetryDelay.TotalSeconds); // a stack once
                _waitingFor = waitingFor;
                await ServeHealthAsync().ConfigureAwait(false);
                await Task.Delay(RetryDelay, Stopping).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Whether waiting may help: a setting that is wrong stays wrong. Azure's clients report several failed attempts as one
    /// aggregate, and a request that timed out as cancelled.
    /// </summary>
    public static bool MayPass(Exception error) => error
        is StoreUnavailableException
        or RequestFailedException
        or AuthenticationFailedException
        or AggregateException
        or TaskCanceledException;

    private async Task ServeHealthAsync()
    {
        if (_healthServer is not null) return;
        var options = new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory };
        var builder = WebApplication.CreateBuilder(options);
        builder.Logging.ClearProviders();
        builder.Services.AddHealthChecks()
            .AddCheck("dependencies", () => HealthCheckResult.Unhealthy(_waitingFor), tags: [ProcessDefaults.Ready]);
        var app = builder.Build();
        app.MapHealthEndpoints();
        await app.StartAsync().ConfigureAwait(false);
        _healthServer = app;
    }

    [LoggerMessage(LogLevel.Warning, "{Waiting} Next attempt in {Seconds} s.")]
    private static partial void LogWaiting(ILogger logger, Exception? error, string waiting, double seconds);
}

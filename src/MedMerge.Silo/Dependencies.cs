using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace MedMerge.Silo;

/// <summary>
/// What a node can't do without. It waits for them, for in a cluster everything starts at once; meanwhile its health endpoints answer that it is alive, not ready, and
/// what it waits for.
/// </summary>
internal sealed partial class Dependencies(IConfiguration configuration, string[] args, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(3), AnswerTimeout = TimeSpan.FromSeconds(1);
    private WebApplication? _meanwhile;
    private string _waitsFor = "";

    /// <summary>Cancelled when the process is told to end while it waits.</summary>
    private CancellationToken Stopping => _meanwhile?.Lifetime.ApplicationStopping ?? CancellationToken.None;

    /// <summary>The folder <c>Store__Folder</c>, or the blob service of <c>ConnectionStrings__blobs</c>.</summary>
    /// <exception cref="OperationCanceledException">The process is told to end.</exception>
    public Task<IObjectStore> StoreAsync() => WaitForAsync("the store", () => ObjectStores.OpenAsync(configuration["Store:Folder"], Stopping));

    /// <summary>The Redis of a connection string.</summary>
    /// <exception cref="OperationCanceledException">The process is told to end.</exception>
    public Task<IConnectionMultiplexer> RedisAsync(string connection) => WaitForAsync("Redis", async () =>
    {
        var options = ConfigurationOptions.Parse(connection);
        options.AbortOnConnectFail = true;
        return (IConnectionMultiplexer)await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false);
    });

    /// <summary>Frees the address for the node itself.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_meanwhile is not null) await _meanwhile.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<T> WaitForAsync<T>(string what, Func<Task<T>> open)
    {
        _waitsFor = $"Waiting for {what}.";
        while (true)
        {
            try
            {
                var opening = open();
                if (await Task.WhenAny(opening, Task.Delay(AnswerTimeout)).ConfigureAwait(false) != opening) await ServeAsync().ConfigureAwait(false);
                return await opening.WaitAsync(Stopping).ConfigureAwait(false);
            }
            catch (Exception error) when (error is InputException or RedisException)
            {
                _waitsFor = $"Waiting for {what}: {error.Message}";
                LogWaiting(logger, _waitsFor, RetryDelay.TotalSeconds);
                await ServeAsync().ConfigureAwait(false);
                await Task.Delay(RetryDelay, Stopping).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync()
    {
        if (_meanwhile is not null) return;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.Services.AddHealthChecks().AddCheck("dependencies", () => HealthCheckResult.Unhealthy(_waitsFor), tags: [ProcessDefaults.Ready]);
        var app = builder.Build();
        app.MapHealthEndpoints();
        await app.StartAsync().ConfigureAwait(false);
        _meanwhile = app;
    }

    [LoggerMessage(LogLevel.Warning, "{Waiting} It is tried again in {Seconds} s.")]
    private static partial void LogWaiting(ILogger logger, string waiting, double seconds);
}

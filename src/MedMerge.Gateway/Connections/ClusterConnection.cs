using MedMerge.Grains;
using Orleans.Configuration;
using StackExchange.Redis;

namespace MedMerge.Gateway.Connections;

/// <summary>
/// The cluster, by an Orleans client in a host of its own: an Orleans client that can't connect ends its host, and the gateway's must go on.
/// </summary>
internal sealed class ClusterConnection(IConfiguration configuration, ILoggerFactory loggers, TimeProvider time)
    : Connection<IHost>("The cluster", time, loggers.CreateLogger<ClusterConnection>())
{
    /// <summary>As long as the nodes' own.</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan RefreshPeriod = TimeSpan.FromSeconds(5), AnswerTimeout = TimeSpan.FromSeconds(15);

    /// <summary>The way to all grains.</summary>
    /// <exception cref="UnavailableException">The cluster is not connected.</exception>
    public IGrainFactory Grains => Opened.Services.GetRequiredService<IGrainFactory>();

    /// <summary>A sweep's grain.</summary>
    /// <exception cref="UnavailableException">The cluster is not connected.</exception>
    public ISweepGrain Sweep(string id) => Grain(grains => grains.GetGrain<ISweepGrain>(id));

    /// <summary>The grain that knows the nodes.</summary>
    /// <exception cref="UnavailableException">The cluster is not connected.</exception>
    public IClusterInfoGrain Nodes => Grain(grains => grains.GetGrain<IClusterInfoGrain>(0));

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (ExecuteTask is not { IsCompletedSuccessfully: true }) return;
        await Opened.StopAsync(cancellationToken).ConfigureAwait(false);
        await CloseAsync(Opened).ConfigureAwait(false);
    }

    /// <inheritdoc />
    protected override async Task<IHost> OpenAsync(CancellationToken cancellation)
    {
        var host = Build();
        try
        {
            await host.StartAsync(cancellation).WaitAsync(AnswerTimeout, cancellation).ConfigureAwait(false);
            return host;
        }
        catch (TimeoutException)
        {
            await CloseAsync(host).ConfigureAwait(false);
            throw new TimeoutException("no node has let the gateway in. Does one run, with the same Orleans__ClusterId and Orleans__ServiceId?");
        }
        catch
        {
            await CloseAsync(host).ConfigureAwait(false);
            throw;
        }
    }

    private T Grain<T>(Func<IGrainFactory, T> get)
    {
        try
        {
            return get(Grains);
        }
        catch (ArgumentException) // Orleans' for an interface that no node implements, none being left
        {
            throw new UnavailableException("The cluster has no node now.");
        }
    }

    private IHost Build()
    {
        if (string.IsNullOrEmpty(configuration["Orleans:Clustering:ProviderType"]))
            throw new InputException("Orleans__Clustering__ProviderType is not set: 'Redis' finds it through ConnectionStrings__redis, 'Static' at Orleans__Clustering__Gateways__0.");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        // An Orleans client refuses to start where reminders are configured; but one set of variables should do for all processes of a cluster.
        builder.Configuration.AddInMemoryCollection(configuration.AsEnumerable().Where(entry => !entry.Key.StartsWith("Orleans:Reminders", StringComparison.OrdinalIgnoreCase)));
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        builder.Services.AddKeyedSingleton<IConnectionMultiplexer>(ClusterNames.Redis, (_, _) => Connect());
        builder.Services.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
        builder.Services.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = RefreshPeriod);
        builder.UseOrleansClient();
        return builder.Build();
    }

    private ConnectionMultiplexer Connect()
    {
        var connection = configuration.GetConnectionString(ClusterNames.Redis) ?? throw new InputException("ConnectionStrings__redis is not set.");
        var options = ConfigurationOptions.Parse(connection);
        options.AbortOnConnectFail = false; // it is tried again behind the scenes
        return ConnectionMultiplexer.Connect(options);
    }

    private static ValueTask CloseAsync(IHost host) => ((IAsyncDisposable)host).DisposeAsync();

    /// <summary>The process's signals are for the gateway's host.</summary>
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

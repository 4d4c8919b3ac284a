using Azure.Data.Tables;
using MedMerge.Clustering;
using MedMerge.Grains;
using MedMerge.Storage;
using Orleans.Configuration;

namespace MedMerge.Gateway.Connections;

/// <summary>
/// The cluster, through an Orleans client in a host of its own: an Orleans client that can't connect stops its host, and the
/// gateway must stay up.
/// </summary>
internal sealed class ClusterConnection(IConfiguration configuration, StoreConnection store, ILoggerFactory loggers, TimeProvider time)
    : Connection<IHost>("The cluster", time, loggers.CreateLogger<ClusterConnection>())
{
    /// <summary>As long as the nodes' own.</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan RefreshPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(15);

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
            await AssertReachableAsync(host, cancellation).ConfigureAwait(false);
            await StartAsync(host, cancellation).ConfigureAwait(false);
            await AssertSameStoreAsync(host, cancellation).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await CloseAsync(host).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task StartAsync(IHost host, CancellationToken cancellation)
    {
        try
        {
            await host.StartAsync(cancellation).WaitAsync(StartTimeout, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException(
                "no node has let the gateway in. " +
                "Does one run, with the same Orleans__ClusterId and Orleans__ServiceId, and with a certificate of the same authority?",
                error);
        }
    }

    /// <summary>A gateway with another store than the cluster's would answer for sweeps that the nodes don't have.</summary>
    /// <exception cref="InvalidOperationException">It is another one.</exception>
    private async Task AssertSameStoreAsync(IHost host, CancellationToken cancellation)
    {
        var objects = await store.WhenOpened.WaitAsync(cancellation).ConfigureAwait(false);
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var theirs = await grains.GetGrain<IClusterInfoGrain>(0).GetStoreAsync().WaitAsync(cancellation).ConfigureAwait(false);
        if (await StoreIdentity.FindAsync(objects, cancellation).ConfigureAwait(false) != theirs)
        {
            throw new InvalidOperationException(
                "its nodes use another store than this gateway: check ConnectionStrings__blobs, the container that it names, "
                + "and Store__Folder.");
        }
    }

    private T Grain<T>(Func<IGrainFactory, T> get)
    {
        try
        {
            return get(Grains);
        }
        catch (ArgumentException error) // Orleans' for an interface that no node implements, none being left
        {
            throw new UnavailableException("The cluster has no node now.", error);
        }
    }

    private IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(configuration.AsEnumerable());
        builder.Configuration.AddClusterTableDefaults();
        var certificate = ClusterTls.Read(configuration, Time);
        certificate?.Logger = loggers.CreateLogger<ClusterCertificate>();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        if (ClusterTable.IsChosen(builder.Configuration))
        {
            var tables = ClusterTable.Connect(builder.Configuration);
            builder.Services.AddKeyedSingleton(ClusterTable.ConnectionName(builder.Configuration), tables);
        }
        builder.Services.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
        builder.Services.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = RefreshPeriod);
        builder.UseOrleansClient(client => client.UseClusterTls(certificate));
        return builder.Build();
    }

    /// <summary>Says in one line what Orleans would log with a page of stack.</summary>
    private async Task AssertReachableAsync(IHost host, CancellationToken cancellation)
    {
        var tables = host.Services.GetKeyedService<TableServiceClient>(ClusterTable.ConnectionName(configuration));
        if (tables is not null) await ClusterTable.EnsureExistsAsync(tables, cancellation).ConfigureAwait(false);
    }

    private static ValueTask CloseAsync(IHost host) => ((IAsyncDisposable)host).DisposeAsync();

    /// <summary>The process's signals are for the gateway's host.</summary>
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

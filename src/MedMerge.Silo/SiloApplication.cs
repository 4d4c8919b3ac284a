using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using Orleans.Dashboard;

namespace MedMerge.Silo;

/// <summary>
/// One node of a cluster. All its configuration is environment variables, as an app host or Kubernetes sets them: <c>Orleans__*</c>,
/// <c>ConnectionStrings__redis</c>, <c>ConnectionStrings__blobs</c>, <c>Node__*</c>. See docs/operations.md.
/// </summary>
public static partial class SiloApplication
{
    private const int RestartExitCode = 75; // EX_TEMPFAIL: start it again

    /// <summary>A silo hands its work over at the next step and is gone within this time after SIGTERM.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The process, built and not yet started, once the store and Redis answer.</summary>
    /// <exception cref="InputException">A setting is missing.</exception>
    /// <param name="decorate">Puts something before the store: faults, in tests.</param>
    public static async Task<WebApplication> BuildAsync(string[] args, Func<IObjectStore, IObjectStore>? decorate = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        if (string.IsNullOrEmpty(builder.Configuration["Orleans:Clustering:ProviderType"]))
            throw new InputException("Orleans__Clustering__ProviderType is not set: 'Redis' finds the cluster through ConnectionStrings__redis. See docs/operations.md.");
        var node = builder.Configuration.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions();
        node.Device = builder.Configuration["Orleans:Metadata:device"] is { Length: > 0 } kind && node.Device == "cpu" && kind != "cpu" ? $"{kind}:0" : node.Device;

        builder.Services.Configure<NodeOptions>(builder.Configuration.GetSection(NodeOptions.Section));
        builder.Services.PostConfigure<NodeOptions>(options => options.Device = node.Device);
        builder.AddServiceDefaults();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        using (var log = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole()))
        {
            var logger = log.CreateLogger(typeof(SiloApplication));
            var store = await Dependencies.StoreAsync(builder.Configuration, logger).ConfigureAwait(false);
            var guard = new SuspensionGuard(GrainsHosting.SuspensionLimit, TimeProvider.System);
            guard.Start();
            builder.Services.AddSingleton(guard);
            if (node.CacheFolder is { } cache) store = new ArtefactCache(store, cache, node.CacheMiB << 20, TimeProvider.System);
            builder.Services.AddSingleton<IObjectStore>(new GuardedObjectStore(decorate?.Invoke(store) ?? store, guard));
            if (builder.Configuration.GetConnectionString(ClusterNames.Redis) is { Length: > 0 } redis)
                builder.Services.AddKeyedSingleton(ClusterNames.Redis, await Dependencies.RedisAsync(redis, logger).ConfigureAwait(false));
        }
        builder.Services.AddHealthChecks().AddCheck<NodeHealth>("node", tags: [ProcessDefaults.Ready]);
        builder.UseOrleans(silo => silo.AddMedMerge(node.Device, keepsSweeps: true).AddDashboard());

        var app = builder.Build();
        app.Services.GetRequiredService<SuspensionGuard>().Tripped.Register(() =>
        {
            LogSuspended(app.Logger);
            Environment.ExitCode = RestartExitCode;
            app.Lifetime.StopApplication();
        });
        var fitness = app.Services.GetRequiredService<NodeFitness>();
        fitness.Unfit.Register(() =>
        {
            LogUnfit(app.Logger, fitness.Reason!);
            Environment.ExitCode = RestartExitCode;
            app.Lifetime.StopApplication();
        });
        app.MapHealthEndpoints();
        return app;
    }

    [LoggerMessage(LogLevel.Critical, "The process was stopped for so long that the cluster has evicted it. It commits nothing more and ends; start it again.")]
    private static partial void LogSuspended(ILogger logger);

    [LoggerMessage(LogLevel.Critical, "The node's device failed: {Reason} The node hands its work over and ends; start it again to see whether the device works.")]
    private static partial void LogUnfit(ILogger logger, string reason);
}

using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using MedMerge.Tensors;
using Orleans.Dashboard;

namespace MedMerge.Silo;

/// <summary>
/// One node of a cluster. All its configuration is environment variables, as an app host or Kubernetes sets them: <c>Orleans__*</c>,
/// <c>ConnectionStrings__redis</c>, <c>ConnectionStrings__blobs</c>, <c>Node__*</c>. See docs/operations.md.
/// </summary>
public static partial class SiloApplication
{
    private const int RestartExitCode = 75; // EX_TEMPFAIL: start it again

    /// <summary>A silo hands its work over at the next step and is gone within 30 s after SIGTERM: what has not ended in good order by then is ended by force, and nothing is lost by that.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(25), StopDeadline = TimeSpan.FromSeconds(28);

    /// <summary>One that the cluster has evicted has nothing left to hand over.</summary>
    private static readonly TimeSpan EvictedDeadline = TimeSpan.FromSeconds(5);

    /// <summary>The process, built and not yet started, once the store and Redis answer.</summary>
    /// <exception cref="InputException">A setting is missing.</exception>
    /// <exception cref="OperationCanceledException">It was told to end while it waited for them.</exception>
    /// <param name="decorate">Puts something before the store: faults, in tests.</param>
    public static async Task<WebApplication> BuildAsync(string[] args, Func<IObjectStore, IObjectStore>? decorate = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var node = Check(builder.Configuration);

        builder.Services.Configure<NodeOptions>(builder.Configuration.GetSection(NodeOptions.Section));
        builder.Services.PostConfigure<NodeOptions>(options => options.Device = node.Device);
        builder.AddServiceDefaults();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        using (var log = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole()))
        {
            var logger = log.CreateLogger(typeof(SiloApplication));
            var dependencies = new Dependencies(builder.Configuration, args, logger);
            await using var freed = dependencies.ConfigureAwait(false);
            var store = await dependencies.StoreAsync().ConfigureAwait(false);
            var guard = new SuspensionGuard(GrainsHosting.SuspensionLimit, TimeProvider.System);
            guard.Start();
            builder.Services.AddSingleton(guard);
            if (node.CacheFolder is { } cache) store = new ArtefactCache(store, cache, node.CacheMiB << 20, TimeProvider.System);
            builder.Services.AddSingleton<IObjectStore>(new GuardedObjectStore(decorate?.Invoke(store) ?? store, guard));
            if (builder.Configuration.GetConnectionString(ClusterNames.Redis) is { Length: > 0 } redis)
                builder.Services.AddKeyedSingleton(ClusterNames.Redis, await dependencies.RedisAsync(redis).ConfigureAwait(false));
        }
        builder.Services.AddHealthChecks().AddCheck<MembershipHealthCheck>("node", tags: [ProcessDefaults.Ready]);
        builder.UseOrleans(silo => silo.AddMedMerge(node.Device, keepsSweeps: true).AddDashboard());

        var app = builder.Build();
        app.Services.GetRequiredService<SuspensionGuard>().Tripped.Register(() =>
        {
            LogSuspended(app.Logger);
            Environment.ExitCode = RestartExitCode;
            _ = EndAtDeadlineAsync(app.Logger, EvictedDeadline);
            app.Lifetime.StopApplication();
        });
        var deviceHealth = app.Services.GetRequiredService<DeviceHealth>();
        deviceHealth.Unfit.Register(() =>
        {
            LogUnfit(app.Logger, deviceHealth.Reason!);
            Environment.ExitCode = RestartExitCode;
            app.Lifetime.StopApplication();
        });
        app.Lifetime.ApplicationStopping.Register(() => _ = EndAtDeadlineAsync(app.Logger, StopDeadline));
        app.MapHealthEndpoints();
        return app;
    }

    /// <summary>What the configuration says of the node. One whose device does not work must not join: it would fail whatever it is given.</summary>
    private static NodeOptions Check(IConfiguration configuration)
    {
        const string Help = "See docs/operations.md.";
        var provider = configuration["Orleans:Clustering:ProviderType"];
        if (string.IsNullOrEmpty(provider)) throw new InputException($"Orleans__Clustering__ProviderType is not set: 'Redis' finds the cluster through ConnectionStrings__redis. {Help}");
        if (provider == "Redis" && string.IsNullOrEmpty(configuration.GetConnectionString(ClusterNames.Redis)))
            throw new InputException($"ConnectionStrings__{ClusterNames.Redis} is not set: the Redis that the nodes of the cluster find each other by. {Help}");
        NodeOptions node;
        try
        {
            node = configuration.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions();
        }
        catch (InvalidOperationException error)
        {
            throw new InputException($"A variable Node__… can't be understood: {error.Message} {Help}", error);
        }
        if (configuration["Orleans:Metadata:device"] is { Length: > 0 } kind && node.Device == "cpu" && kind != "cpu") node.Device = $"{kind}:0";
        node.Check();
        DeviceThread.Find(node.Device);
        return node;
    }

    /// <summary>Beside a Redis that is gone or emptied Orleans tries to sign off for minutes, whatever the host's timeout says.</summary>
    private static async Task EndAtDeadlineAsync(ILogger logger, TimeSpan deadline)
    {
        await Task.Delay(deadline).ConfigureAwait(false);
        LogForced(logger, deadline.TotalSeconds);
        Environment.Exit(Environment.ExitCode);
    }

    [LoggerMessage(LogLevel.Critical, "The process was stopped for so long that the cluster has evicted it. It commits nothing more and ends; start it again.")]
    private static partial void LogSuspended(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "The node has not left in good order after {Seconds} s, so it ends by force. Others go on from its last checkpoints.")]
    private static partial void LogForced(ILogger logger, double seconds);

    [LoggerMessage(LogLevel.Critical, "The node's device failed: {Reason} The node hands its work over and ends; start it again to see whether the device works.")]
    private static partial void LogUnfit(ILogger logger, string reason);
}

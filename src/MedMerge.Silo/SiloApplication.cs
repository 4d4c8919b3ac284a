using MedMerge.Clustering;
using MedMerge.Grains;
using MedMerge.Grains.Benchmarks;
using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using MedMerge.Tensors;
using Microsoft.AspNetCore.Connections;
using Orleans.Dashboard;

namespace MedMerge.Silo;

/// <summary>
/// One node of a cluster. It is configured by environment variables alone, as an app host or Kubernetes sets them:
/// <c>ConnectionStrings__blobs</c>, <c>Orleans__*</c>, <c>Node__*</c>, <c>Tls__Folder</c>. See docs/operations.md.
/// </summary>
public static partial class SiloApplication
{
    private const string Help = "See docs/operations.md.";

    private const int InputExitCode = 2;

    private const int RestartExitCode = 75; // EX_TEMPFAIL: start it again

    /// <summary>On SIGTERM a silo releases its work after the current step and ends within 30 s.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(25);

    /// <summary>What has not ended in good order by then is ended by force; nothing is lost by that.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(28);

    /// <summary>A silo that the cluster has evicted has nothing left to hand over.</summary>
    private static readonly TimeSpan EvictedDeadline = TimeSpan.FromSeconds(5);

    /// <summary>Runs the process until it is asked to stop.</summary>
    /// <param name="decorate">Wraps the store: faults, in tests.</param>
    /// <returns>
    /// The exit code: 0, 2 where a setting is missing or wrong, 75 where the process should be started again: what it depends on
    /// answered, and did no longer when Orleans asked.
    /// </returns>
    public static async Task<int> RunAsync(string[] args, Func<IObjectStore, IObjectStore>? decorate = null)
    {
        try
        {
            var app = await BuildAsync(args, decorate).ConfigureAwait(false);
            await app.RunAsync().ConfigureAwait(false);
            return Environment.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return 0; // asked to stop before it had started
        }
        catch (InputException problem)
        {
            return await EndAsync(problem.Message, InputExitCode).ConfigureAwait(false);
        }
        catch (IOException problem) when (problem.InnerException is AddressInUseException)
        {
            return await EndAsync($"{problem.Message} Choose another address with ASPNETCORE_URLS.", InputExitCode).ConfigureAwait(false);
        }
        catch (Exception problem) when (Dependencies.MayPass(problem))
        {
            return await EndAsync($"the node could not start; start it again: {problem}", RestartExitCode).ConfigureAwait(false);
        }
    }

    private static async Task<int> EndAsync(string error, int exitCode)
    {
        await Console.Error.WriteLineAsync($"error: {error}").ConfigureAwait(false);
        return exitCode;
    }

    /// <summary>The process, built and not yet started, once the store and the membership table answer.</summary>
    /// <exception cref="InputException">A setting is missing or wrong.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop while it waited for them.</exception>
    public static async Task<WebApplication> BuildAsync(string[] args, Func<IObjectStore, IObjectStore>? decorate = null)
    {
        var options = new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory };
        var builder = WebApplication.CreateBuilder(options);
        builder.Configuration.AddClusterTableDefaults();
        var node = Check(builder.Configuration);
        var benchmarks = ReadBenchmarks(builder.Configuration);
        var certificate = ClusterTls.Read(builder.Configuration, TimeProvider.System);

        builder.AddServiceDefaults();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        await AddDependenciesAsync(builder, args, node, decorate).ConfigureAwait(false);
        builder.Services.AddHealthChecks()
            .AddCheck<MembershipHealthCheck>("node", tags: [ProcessDefaults.Ready])
            .AddCheck<StoreHealthCheck>("store", tags: [ProcessDefaults.Ready]);
        builder.UseOrleans(silo => silo
            .AddMedMerge(node, keepsSweeps: true, benchmarks)
            .UseClusterTls(certificate)
            .AddDashboard());

        var app = builder.Build();
        certificate?.Logger = app.Logger;
        var capacity = app.Services.GetRequiredService<NodeCapacity>();
        LogDevice(app.Logger, node.Device, capacity.ToMetadata(), capacity.Memory >> 20);
        if (DeviceName.CudaIndex(node.Device) is not null) LogCuda(app.Logger);
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

    /// <summary>Waits for the store and the membership table, and adds them.</summary>
    private static async Task AddDependenciesAsync(
        WebApplicationBuilder builder,
        string[] args,
        NodeOptions node,
        Func<IObjectStore, IObjectStore>? decorate)
    {
        using var loggers = LoggerFactory.Create(logging => logging
            .AddConfiguration(builder.Configuration.GetSection("Logging"))
            .AddConsole());
        var dependencies = new Dependencies(builder.Configuration, args, loggers.CreateLogger(typeof(SiloApplication)));
        await using var disposal = dependencies.ConfigureAwait(false);
        var guard = new SuspensionGuard(GrainsHosting.SuspensionLimit, TimeProvider.System);
        guard.Start();
        builder.Services.AddSingleton(guard);
        var store = await dependencies.StoreAsync(guard.Check).ConfigureAwait(false);
        var tables = await dependencies.TablesAsync().ConfigureAwait(false);
        builder.Services.AddKeyedSingleton(ClusterTable.ConnectionName(builder.Configuration), tables);
        builder.Services.AddSingleton(new JoinedStore(await dependencies.StoreIdentityAsync(store, tables).ConfigureAwait(false)));
        if (node.CacheFolder is { } cache)
        {
            var logger = loggers.CreateLogger<ArtefactCache>();
            store = new ArtefactCache(store, cache, node.CacheMiB << 20, TimeProvider.System, logger);
        }
        builder.Services.AddSingleton<IObjectStore>(new GuardedObjectStore(decorate?.Invoke(store) ?? store, guard));
    }

    /// <summary>
    /// What the configuration says of the node. A node whose device does not work must not join: it would fail whatever it is given.
    /// </summary>
    private static NodeOptions Check(IConfiguration configuration)
    {
        if (!ClusterTable.IsChosen(configuration))
            throw new InputException($"Orleans__Clustering__ProviderType must be {ClusterTable.Provider}, the default. {Help}");
        ClusterTable.Connect(configuration); // refuses a connection that can't work before anything waits for it
        ObjectStores.Check(configuration["Store:Folder"], configuration.GetConnectionString(ClusterNames.Blobs));
        var node = Read<NodeOptions>(configuration, NodeOptions.Section);
        var kind = configuration["Orleans:Metadata:device"];
        if (node.Device == "cpu" && !string.IsNullOrEmpty(kind) && kind != "cpu") node.Device = $"{kind}:0";
        node.Check();
        node.Device = DeviceThread.NameInFull(node.Device);
        return node;
    }

    private static BenchmarkOptions ReadBenchmarks(IConfiguration configuration)
    {
        var options = Read<BenchmarkOptions>(configuration, BenchmarkOptions.Section);
        options.Check();
        return options;
    }

    private static T Read<T>(IConfiguration configuration, string section) where T : class, new()
    {
        try
        {
            return configuration.GetSection(section).Get<T>() ?? new T();
        }
        catch (InvalidOperationException error)
        {
            throw new InputException($"A variable {section}__… can't be understood: {error.Message} {Help}", error);
        }
    }

    /// <summary>Without its membership table Orleans tries to sign off for minutes, whatever the host's timeout says.</summary>
    private static async Task EndAtDeadlineAsync(ILogger logger, TimeSpan deadline)
    {
        await Task.Delay(deadline).ConfigureAwait(false);
        LogForced(logger, deadline.TotalSeconds);
        Environment.Exit(Environment.ExitCode);
    }

    [LoggerMessage(
        LogLevel.Information,
        "The node computes on '{Device}'. Lanes: {Lanes}. Memory that stages may take together: {MiB} MiB.")]
    private static partial void LogDevice(ILogger logger, string device, string lanes, long miB);

    [LoggerMessage(LogLevel.Information, "CUDA computes in float32: TF32 is off, and cuDNN uses deterministic algorithms.")]
    private static partial void LogCuda(ILogger logger);

    [LoggerMessage(
        LogLevel.Critical,
        "The process was suspended for so long that the cluster has evicted it. It commits nothing more and ends; start it again.")]
    private static partial void LogSuspended(ILogger logger);

    [LoggerMessage(
        LogLevel.Warning,
        "The node has not shut down after {Seconds} s, so it ends by force. Other nodes continue from its last checkpoints.")]
    private static partial void LogForced(ILogger logger, double seconds);

    [LoggerMessage(
        LogLevel.Critical,
        "The node's device failed: {Reason} The node hands its work over and ends; start it again to see whether the device works.")]
    private static partial void LogUnfit(ILogger logger, string reason);
}

using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;

namespace MedMerge.Silo;

/// <summary>
/// One node of a cluster. All its configuration is environment variables, as an app host or Kubernetes sets them: <c>Orleans__*</c>,
/// <c>ConnectionStrings__redis</c>, <c>ConnectionStrings__blobs</c>, <c>Node__*</c>. See docs/operations.md.
/// </summary>
public static class SiloApplication
{
    private const string Redis = "redis";

    /// <summary>A silo hands its work over at the next step and is gone within this time after SIGTERM.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The process, built and not yet started, once the store and Redis answer.</summary>
    public static async Task<WebApplication> BuildAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        var node = builder.Configuration.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions();
        node.Device = builder.Configuration["Orleans:Metadata:device"] is { Length: > 0 } kind && node.Device == "cpu" && kind != "cpu" ? $"{kind}:0" : node.Device;

        builder.Services.Configure<NodeOptions>(builder.Configuration.GetSection(NodeOptions.Section));
        builder.Services.PostConfigure<NodeOptions>(options => options.Device = node.Device);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        using (var log = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole()))
        {
            var logger = log.CreateLogger(typeof(SiloApplication));
            builder.Services.AddSingleton(await Dependencies.StoreAsync(builder.Configuration, logger).ConfigureAwait(false));
            if (builder.Configuration.GetConnectionString(Redis) is { Length: > 0 } redis)
                builder.Services.AddKeyedSingleton(Redis, await Dependencies.RedisAsync(redis, logger).ConfigureAwait(false));
        }
        builder.Services.AddHealthChecks().AddCheck<NodeHealth>("node", tags: [NodeHealth.Ready]);
        builder.UseOrleans(silo => silo.AddMedMerge(node.Device, keepsSweeps: true));

        var app = builder.Build();
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains(NodeHealth.Ready) });
        return app;
    }
}

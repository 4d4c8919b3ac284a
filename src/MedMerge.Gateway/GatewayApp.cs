using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Gateway.Access;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Endpoints;
using MedMerge.Gateway.Queries;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;
using Orleans.Dashboard;

namespace MedMerge.Gateway;

/// <summary>The process that serves the HTTP API: a client of the cluster, with the cluster's store.</summary>
public static class GatewayApp
{
    /// <summary>Requests that carry no file and no specification need little.</summary>
    private const long MaxBody = 64 * 1024;

    private const double MinBytesPerSecond = 1024;
    private const int UploadsAtOnce = 4, PlansAtOnce = 2, Waiting = 64;

    /// <summary>What is logged where the configuration says nothing else: not six lines a request, and what a connection says in one line not in forty.</summary>
    private static readonly IReadOnlyDictionary<string, string?> Quiet = new Dictionary<string, string?>
    {
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "None",
        ["Logging:LogLevel:Orleans"] = "Error",
    };

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10), BodyGracePeriod = TimeSpan.FromSeconds(5);

    /// <summary>Puts it together. Its configuration is the usual: arguments, environment, <c>appsettings.json</c>.</summary>
    /// <exception cref="InputException">A setting is wrong, or would let strangers in.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        var isOpen = !Authentication.Add(builder);
        LoopbackGuard.Apply(builder, isOpen);
        var limits = GatewayLimits.Read(builder.Configuration);
        builder.AddServiceDefaults();
        builder.Services.AddHealthChecks().AddCheck<ReadyCheck>("ready", tags: [ProcessDefaults.Ready]);

        builder.WebHost.ConfigureKestrel(Harden);
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Quiet });
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.AddConcurrencyLimiter(GatewayLimits.Uploads, options => (options.PermitLimit, options.QueueLimit) = (UploadsAtOnce, Waiting));
            limiter.AddConcurrencyLimiter(GatewayLimits.Plans, options => (options.PermitLimit, options.QueueLimit) = (PlansAtOnce, Waiting));
        });
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true); // for GatewayExceptionHandler to say why
        builder.Services.ConfigureHttpJsonOptions(options => Configure(options.SerializerOptions));
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<GatewayExceptionHandler>();
        builder.Services.AddOpenApi();
        OrleansDashboard.Add(builder);

        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(limits);
        AddConnection<ClusterConnection>(builder.Services);
        AddConnection<StoreConnection>(builder.Services);
        builder.Services.AddSingleton<IObjectStore, ConnectedStore>();
        builder.Services.AddSingleton<ArtefactStore>();
        builder.Services.AddSingleton<StageStore>();
        builder.Services.AddSingleton<SweepStore>();
        builder.Services.AddSingleton<PlanSummaries>();
        builder.Services.AddSingleton<ResultQueries>();
        builder.Services.AddSingleton<SweepQueries>();
        builder.Services.AddSingleton<Submissions>();

        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        if (isOpen) app.Use(LoopbackGuard.RefuseOtherSites);
        else app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.MapOpenApi();
        app.MapHealthEndpoints();
        var api = app.MapGroup("/api/v1");
        var orleans = app.MapOrleansDashboard(OrleansDashboard.Path).ExcludeFromDescription();
        if (!isOpen)
        {
            api.RequireAuthorization();
            orleans.RequireAuthorization();
        }
        FileEndpoints.Map(api, limits);
        SweepEndpoints.Map(api);
        NodeEndpoints.Map(api);
        return app;
    }

    /// <summary>How the API writes and reads JSON. A loss can be infinite, and must not fail the answer that tells it.</summary>
    private static void Configure(JsonSerializerOptions json)
    {
        json.Converters.Add(new JsonStringEnumConverter());
        json.NumberHandling |= JsonNumberHandling.AllowNamedFloatingPointLiterals;
        json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        json.RespectNullableAnnotations = true;
        json.RespectRequiredConstructorParameters = true;
    }

    /// <summary>A client that sends slowly, or more than there is room for, is cut.</summary>
    private static void Harden(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = MaxBody;
        kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(MinBytesPerSecond, BodyGracePeriod);
    }

    private static void AddConnection<T>(IServiceCollection services) where T : BackgroundService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Gateway.Access;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Endpoints;
using MedMerge.Gateway.Pages;
using MedMerge.Gateway.Queries;
using MedMerge.ServiceDefaults;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;
using Orleans.Dashboard;

namespace MedMerge.Gateway;

/// <summary>The process that serves the HTTP API and the pages: a client of the cluster, with access to the cluster's store.</summary>
public static class GatewayApp
{
    private const string ApiPrefix = "/api/v1";

    /// <summary>Largest body, in bytes, of a request that carries neither a file nor a specification.</summary>
    private const long MaxBody = 64 * 1024;

    private const double MinBytesPerSecond = 1024;
    /// <summary>
    /// Log levels where the configuration sets none: without them each request logs six lines, and each failed
    /// connection attempt forty.
    /// </summary>
    private static readonly IReadOnlyDictionary<string, string?> DefaultLogLevels = new Dictionary<string, string?>
    {
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "None",
        ["Logging:LogLevel:Orleans"] = "Error",
        [$"Logging:LogLevel:{AuditLog.Category}"] = "Information", // whatever the default
    };

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BodyGracePeriod = TimeSpan.FromSeconds(5);

    /// <summary>Builds the application, configured by arguments, environment variables and <c>appsettings.json</c>.</summary>
    /// <exception cref="InputException">
    /// A setting is invalid, or would open the gateway to other machines without authentication.
    /// </exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(GatewayApp).Assembly.GetName().Name, // names the list of the pages' files
        });
        var isOpen = !Authentication.Add(builder);
        LoopbackGuard.Apply(builder, isOpen);
        StoreConnection.Check(builder.Configuration);
        var limits = GatewayLimits.Read(builder.Configuration);
        AddHost(builder);
        builder.Services.AddSingleton<ReadyCheck>(); // keeps its last answer
        AddApi(builder.Services);
        WebPages.Add(builder);
        OrleansDashboard.Add(builder);
        AddCluster(builder.Services);
        builder.Services.AddSingleton(limits);

        var app = builder.Build();
        UseMiddleware(app, isOpen);
        MapEndpoints(app, limits);
        if (!isOpen) SignIn.Map(app);
        return app;
    }

    private static void AddHost(WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.Services.AddHealthChecks().AddCheck<ReadyCheck>("ready", tags: [ProcessDefaults.Ready]);
        builder.WebHost.ConfigureKestrel(LimitClients);
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = DefaultLogLevels });
    }

    private static void AddApi(IServiceCollection services)
    {
        services.AddSingleton<ClientRates>();
        services.AddRateLimiter();
        services.AddOptions<RateLimiterOptions>().Configure<ClientRates>(RequestLimits.Add);
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true); // GatewayExceptionHandler explains it
        services.ConfigureHttpJsonOptions(options => ConfigureJson(options.SerializerOptions));
        services.AddProblemDetails();
        services.AddExceptionHandler<GatewayExceptionHandler>();
        services.AddOpenApi();
    }

    private static void AddCluster(IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        AddConnection<StoreConnection>(services);
        AddConnection<ClusterConnection>(services);
        services.AddSingleton<IObjectStore, ConnectedStore>();
        services.AddSingleton<ArtefactStore>();
        services.AddSingleton<StageStore>();
        services.AddSingleton<SweepStore>();
        services.AddSingleton<PlanSummaries>();
        services.AddSingleton<ResultCache>();
        services.AddSingleton<ResultQueries>();
        services.AddSingleton<SweepQueries>();
        services.AddSingleton<RecentSweeps>();
        services.AddSingleton<SweepRemoval>();
        services.AddSingleton<Submissions>();
        services.AddSingleton<ScheduleStore>();
        services.AddSingleton<ScheduleQueries>();
        services.AddSingleton<ScheduleChanges>();
        services.AddSingleton<BenchmarkStore>();
        services.AddSingleton<BenchmarkReader>();
        services.AddSingleton<BenchmarkQueries>();
    }

    private static void UseMiddleware(WebApplication app, bool isOpen)
    {
        app.Use(SecurityHeaders.AddAsync);
        app.Use(AuditLog.RecordAsync);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseWhen(context => Requests.IsForPage(context.Request), pages => pages.UseStatusCodePagesWithReExecute("/not-found"));
        app.UseRouting(); // here, so that what is executed again is routed again
        Authentication.Use(app, isOpen);
        app.UseRateLimiter();
        app.UseAntiforgery();
    }

    /// <summary>Everything that is mapped here asks for a viewer at least, unless it says otherwise.</summary>
    private static void MapEndpoints(WebApplication app, GatewayLimits limits)
    {
        app.MapOpenApi().AllowAnonymous();
        app.MapHealthEndpoints();
        app.MapOrleansDashboard(OrleansDashboard.Path).ExcludeFromDescription().RequireAuthorization(Roles.Operator);
        var api = app.MapGroup(ApiPrefix);
        FileEndpoints.Map(api, limits);
        SweepEndpoints.Map(api);
        ScheduleEndpoints.Map(api);
        BenchmarkEndpoints.Map(api);
        NodeEndpoints.Map(api);
        WebPages.Map(app);
    }

    /// <summary>The API's JSON. Infinite losses are allowed, so that a diverged training can still be reported.</summary>
    private static void ConfigureJson(JsonSerializerOptions json)
    {
        json.Converters.Add(new JsonStringEnumConverter());
        json.NumberHandling |= JsonNumberHandling.AllowNamedFloatingPointLiterals;
        json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        json.RespectNullableAnnotations = true;
        json.RespectRequiredConstructorParameters = true;
    }

    /// <summary>Disconnects clients that send too slowly, and refuses bodies that are too large.</summary>
    private static void LimitClients(KestrelServerOptions kestrel)
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

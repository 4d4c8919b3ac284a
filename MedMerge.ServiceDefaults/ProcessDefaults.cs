using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// The defaults of every process of a cluster: telemetry, health endpoints, service discovery, resilience.
/// </summary>
public static class ProcessDefaults
{
    /// <summary>The tag of health checks that readiness depends on.</summary>
    public const string Ready = "ready";

    private const string LivePath = "/health/live";
    private const string ReadyPath = "/health/ready";

    /// <summary>
    /// Adds all of them. Resilience applies to clients from <see cref="IHttpClientFactory"/>. Azure's clients have
    /// their own transport and retries and are not affected.
    /// </summary>
    public static void AddServiceDefaults(this IHostApplicationBuilder builder)
    {
        builder.AddTelemetry();
        builder.Services.AddHealthChecks();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
    }

    /// <summary>
    /// <c>/health/live</c> is 200 while the process serves; <c>/health/ready</c> is 200 while every check tagged <see
    /// cref="Ready"/> is healthy, otherwise 503 with the reasons.
    /// </summary>
    public static void MapHealthEndpoints(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks(LivePath, new()
        {
            Predicate = _ => false,
        }).AllowAnonymous().DisableRateLimiting();
        app.MapHealthChecks(ReadyPath, new()
        {
            Predicate = check => check.Tags.Contains(Ready),
            ResponseWriter = WriteAsync,
        }).AllowAnonymous().DisableRateLimiting();
    }

    /// <summary>Whether a request is a health check.</summary>
    internal static bool IsHealth(HttpContext context) => context.Request.Path == LivePath || context.Request.Path == ReadyPath;

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var problems = report.Entries.Values
            .Where(entry => entry.Status != HealthStatus.Healthy)
            .Select(entry => entry.Description ?? entry.Exception?.Message ?? "unhealthy")
            .ToList();
        return problems.Count == 0
            ? context.Response.WriteAsync("ready")
            : Results.Problem(string.Join('\n', problems), statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
    }
}

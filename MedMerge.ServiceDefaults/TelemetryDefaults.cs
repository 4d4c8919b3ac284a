using System.Collections;
using MedMerge.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace MedMerge.ServiceDefaults;

/// <summary>Traces, metrics and logs by OTLP, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says to.</summary>
public static class TelemetryDefaults
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT", SpanDelay = "OTEL_BSP_SCHEDULE_DELAY";

    /// <summary>In milliseconds. Sooner than OpenTelemetry's own 5 s: a process that is killed takes with it what it had not sent, and spans on other nodes lose their parent.</summary>
    private const string SpanDelayDefault = "1000";

    /// <summary>Orleans' own activity sources and meter, and those of Azure's blob client.</summary>
    private const string OrleansSources = "Microsoft.Orleans.*", OrleansMeter = "Microsoft.Orleans", BlobSources = "Azure.Storage.*";

    /// <summary>The header by which every request of an Azure client is known.</summary>
    private const string AzureRequestId = "x-ms-client-request-id";

    /// <summary>Whether this process's environment asks for telemetry.</summary>
    public static bool IsWanted => Environment.GetEnvironmentVariable(Endpoint) is { Length: > 0 };

    /// <summary>Adds it to a host that reads no configuration of its own, by this process's <c>OTEL_*</c> variables.</summary>
    /// <param name="name">What the process is called where <c>OTEL_SERVICE_NAME</c> does not say.</param>
    public static void AddProcessTelemetry(this IHostApplicationBuilder builder, string name)
    {
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("OTEL_SERVICE_NAME", name)]);
        builder.Configuration.AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value)).Where(variable => variable.Key.StartsWith("OTEL_", StringComparison.Ordinal)));
        builder.AddTelemetry();
    }

    /// <summary>Adds it. Without the variable nothing listens, and nothing is spent.</summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration[Endpoint])) return;
        builder.Configuration[SpanDelay] ??= SpanDelayDefault;
        AppContext.SetSwitch("Azure.Experimental.EnableActivitySource", true); // how Azure's storage client is told to trace

        builder.Logging.AddOpenTelemetry(logging => (logging.IncludeFormattedMessage, logging.IncludeScopes) = (true, true));
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddMeter(Instruments.MeterName, OrleansMeter)
                .AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddRuntimeInstrumentation())
            .WithTracing(tracing => tracing
                .SetSampler(new AskedForSampler())
                .AddSource(Spans.SourceName, OrleansSources, BlobSources)
                .AddAspNetCoreInstrumentation(web => web.Filter = context => !ProcessDefaults.IsHealth(context))
                .AddHttpClientInstrumentation(http => http.FilterHttpRequestMessage = request => !request.Headers.Contains(AzureRequestId)) // Azure's client tells of its own
                .AddProcessor(new ExpectedAnswers()))
            .UseOtlpExporter();
    }
}

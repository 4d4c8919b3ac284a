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

/// <summary>Traces, metrics and logs by OTLP, to the address in <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</summary>
public static class TelemetryDefaults
{
    private const string VariablePrefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string SpanDelay = "OTEL_BSP_SCHEDULE_DELAY";

    /// <summary>
    /// In milliseconds, below OpenTelemetry's default of 5 s: a killed process loses the spans that it has not sent,
    /// and spans on other nodes lose their parent.
    /// </summary>
    private const string SpanDelayDefault = "1000";

    private const string OrleansSources = "Microsoft.Orleans.*";
    private const string OrleansMeter = "Microsoft.Orleans";
    private const string BlobSources = "Azure.Storage.*";

    /// <summary>Makes Azure's storage client trace.</summary>
    private const string BlobTracingSwitch = "Azure.Experimental.EnableActivitySource";

    /// <summary>A header of every request of an Azure client.</summary>
    private const string AzureRequestId = "x-ms-client-request-id";

    /// <summary>Whether this process's environment asks for telemetry.</summary>
    public static bool IsWanted => Environment.GetEnvironmentVariable(Endpoint) is { Length: > 0 };

    /// <summary>
    /// Adds telemetry to a host without configuration of its own, by the <c>OTEL_*</c> variables of this process.
    /// </summary>
    /// <param name="name">The process's name, unless <c>OTEL_SERVICE_NAME</c> is set.</param>
    public static void AddProcessTelemetry(this IHostApplicationBuilder builder, string name)
    {
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("OTEL_SERVICE_NAME", name)]);
        builder.Configuration.AddInMemoryCollection(Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value))
            .Where(variable => variable.Key.StartsWith(VariablePrefix, StringComparison.Ordinal)));
        builder.AddTelemetry();
    }

    /// <summary>Adds telemetry. Without the variable nothing listens, and it costs nothing.</summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration[Endpoint])) return;
        builder.Configuration[SpanDelay] ??= SpanDelayDefault;
        AppContext.SetSwitch(BlobTracingSwitch, true);

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddMeter(Instruments.MeterName, OrleansMeter)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .WithTracing(tracing => tracing
                .SetSampler(new RequestedWorkSampler())
                .AddSource(Spans.SourceName, OrleansSources, BlobSources)
                .AddAspNetCoreInstrumentation(web => web.Filter = context => !ProcessDefaults.IsHealth(context))
                .AddHttpClientInstrumentation(http => http.FilterHttpRequestMessage = request => !IsTracedByAzure(request))
                .AddProcessor(new ExpectedBlobStatusProcessor()))
            .UseOtlpExporter();
    }

    /// <summary>Azure's clients have spans of their own for their requests.</summary>
    private static bool IsTracedByAzure(HttpRequestMessage request) => request.Headers.Contains(AzureRequestId);
}

using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.AppHost.Tests;

/// <summary>What the app host's dashboard shows of a sweep: its resource, its trace, its metrics.</summary>
public sealed class DashboardTests(RunningAppHost host)
{
    /// <summary>Alternatives are separated by a bar.</summary>
    private static readonly string[] Spans =
    [
        "import|fine-tune",
        "prepare",
        "probe",
        "weigh",
        "open shards",
        "weigh epoch 12",
        "merge",
        "fine-tune epoch 1",
        "evaluate",
    ];

    private static readonly string[] Metrics =
    [
        "medmerge.step.duration",
        "medmerge.samples",
        "medmerge.shard.wait",
        "medmerge.gradient.norm",
        "medmerge.weights.entropy",
        "medmerge.loss",
        "medmerge.stage.duration",
        "medmerge.checkpoint.size",
        "medmerge.checkpoint.duration",
        "medmerge.device.queue",
        "medmerge.device.busy",
        "medmerge.trials",
        "medmerge.tensors.live",
    ];

    private DashboardTelemetry Telemetry => new(host.Dashboard);

    [Fact]
    public async Task A_trial_is_one_trace_over_the_gateway_and_both_silos()
    {
        await host.HealthyAsync();
        var id = await host.StartSweepAsync(TestSweeps.Traced);
        var spans = await Telemetry.WholeTraceAsync(await Telemetry.TrialTraceAsync(id));

        DashboardTelemetry.AssertConnected(spans);
        Assert.DoesNotContain(spans, span => span.IsError);
        string[] processes = [host.GatewayProcess, .. host.Silos.Select(silo => silo.ResourceId)];
        Assert.Equal(processes.Order(), spans.Select(span => span.Process).Distinct().Order());
        var names = spans.Select(span => span.Name).ToHashSet();
        var ours = DashboardTelemetry.Describe(DashboardTelemetry.Ours(spans));
        Assert.All(Spans, name => Assert.True(name.Split('|').Any(names.Contains), $"No {name} among\n{ours}"));
        Assert.Equal(13, spans.Count(span => span.Name.StartsWith("weigh epoch", StringComparison.Ordinal))); // twelve and the start
        Assert.Contains(spans, span => span.Source.StartsWith("Azure.", StringComparison.Ordinal)); // blob calls
        Assert.Contains(spans, span => span.Source.StartsWith("Microsoft.Orleans", StringComparison.Ordinal)); // grain calls
        Assert.DoesNotContain(spans, span => RepeatedCalls.Names.Contains(span.Name));
    }

    /// <summary>
    /// The request that submits a sweep is a trace of its own, with the sweep in it. Nothing but requests and trials
    /// starts a trace.
    /// </summary>
    [Fact]
    public async Task Only_requests_and_trials_are_traces()
    {
        var id = await host.StartSweepAsync(TestSweeps.Traced);
        await Telemetry.FindAsync(null, span => span.Name == "sweep" && span.Sweep == id);
        var strays = (await Telemetry.SpansAsync())
            .Where(span => span.Parent is null)
            .Where(span => span.Source != "MedMerge" && !span.Source.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal))
            .ToList();
        Assert.True(strays.Count == 0, DashboardTelemetry.Describe(strays));
    }

    [Fact]
    public async Task Its_pages_show_the_sweep_its_trace_and_its_metrics()
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await DashboardPages.OpenAsync(host.Dashboard);
        var id = await host.StartSweepAsync(TestSweeps.Shown);
        await host.SweepAsync(id, state => state.EndsWith("trials", StringComparison.Ordinal));
        var silos = host.Silos.Select(silo => silo.ResourceId).ToList();
        await pages.ShowResourcesAsync([id, "gateway", .. silos], "apphost");

        await host.SweepAsync(id, state => state.StartsWith("Done", StringComparison.Ordinal));
        var trace = await Telemetry.TrialTraceAsync(id);
        await Telemetry.WholeTraceAsync(trace);
        await pages.ShowTraceAsync(trace, silos, "traces");
        var instruments = await pages.ShowMetricsAsync(silos, "metrics");
        Assert.All(Metrics, metric => Assert.Contains(metric, instruments));
        await pages.ShowOrleansAsync(host.Gateway, "orleans");
    }

    /// <summary>The dashboard shows the same of <c>medmerge run</c>, without a cluster.</summary>
    [Fact]
    public async Task A_plain_run_is_seen_too()
    {
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = host.TelemetryEndpoint.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
        };
        await PlainRun.RunAsync((Specifications.Tiny with { Name = "alone" }).Yaml, environment);
        var spans = await Telemetry.WholeTraceAsync(await Telemetry.TrialTraceAsync("alone-"));
        DashboardTelemetry.AssertConnected(spans);
        await Telemetry.FindAsync(null, span => span.Name == "sweep" && span.BelongsTo("alone-") && span.Parent is null);
    }
}

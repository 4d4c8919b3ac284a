using MedMerge.Grains;
using MedMerge.Storage.Tests;

namespace MedMerge.Cluster.Tests;

/// <summary>What platform teams see of a cluster of real processes, in the real Aspire dashboard.</summary>
public sealed class TelemetryTests(AzuriteServer azurite, DashboardServer dashboard)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Several times the exporters' delay (<see cref="DashboardServer.Environment" />).</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trial_is_one_trace_over_the_gateway_and_both_silos_and_its_metrics_are_there()
    {
        await dashboard.RunningAsync();
        await using var cluster = await new TestCluster(azurite, settings: dashboard.Environment).StartAsync(2);
        var gateway = await cluster.StartGatewayAsync();
        var id = await GatewayCommand.SubmitAsync(gateway, Specifications.Long);
        await cluster.EndAsync(id, Deadline);

        var trace = await TraceAsync(id);
        var spans = await WholeAsync(trace);

        AssertConnected(spans);
        Assert.DoesNotContain(spans, span => span.IsError);
        string[] instances = [gateway.Instance, cluster.Silos[0].Instance, cluster.Silos[1].Instance];
        Assert.Equal(instances.Order(), spans.Select(span => span.Instance).Distinct().Order());
        string[] wanted = ["import|fine-tune", "prepare", "probe", "weigh", "open shards", "weigh epoch 12", "merge", "fine-tune epoch 1", "evaluate"];
        var names = spans.Select(span => span.Name).ToHashSet();
        Assert.All(wanted, name => Assert.True(name.Split('|').Any(names.Contains), $"No {name} among\n{Describe(Ours(spans))}"));
        Assert.Equal(13, spans.Count(span => span.Name.StartsWith("weigh epoch", StringComparison.Ordinal))); // twelve and the start
        Assert.Contains(spans, span => span.Source.StartsWith("Azure.", StringComparison.Ordinal)); // blob calls
        Assert.Contains(spans, span => span.Source.StartsWith("Microsoft.Orleans", StringComparison.Ordinal)); // grain calls
        Assert.DoesNotContain(spans, span => RepeatedCalls.Names.Contains(span.Name));

        // The request that submitted it is a trace of its own, with the sweep in it, and nothing else makes traces.
        var all = await dashboard.SpansAsync();
        Assert.Contains(all, span => span.Name == "sweep" && span.Sweep == id);
        var ids = all.Select(span => span.Id).ToHashSet();
        var strays = all.Where(span => instances.Contains(span.Instance) && (span.Parent is null || !ids.Contains(span.Parent)) && span.Source != "MedMerge" && !span.Source.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)).ToList();
        Assert.True(strays.Count == 0, Describe(strays));

        await using var pages = await DashboardPages.OpenAsync(dashboard);
        await pages.TracesAsync(trace, "traces");
        var instruments = await pages.MetricsAsync(cluster.Silos.Select(silo => silo.Resource), "metrics");
        string[] metrics = ["medmerge.step.duration", "medmerge.samples", "medmerge.shard.wait", "medmerge.gradient.norm", "medmerge.weights.entropy", "medmerge.loss", "medmerge.stage.duration",
            "medmerge.checkpoint.size", "medmerge.checkpoint.duration", "medmerge.device.queue", "medmerge.device.busy", "medmerge.trials", "medmerge.tensors.live"];
        Assert.All(metrics, metric => Assert.Contains(metric, instruments));
    }

    [Fact]
    public async Task A_trial_whose_silo_is_killed_is_still_one_connected_trace()
    {
        await dashboard.RunningAsync();
        await using var cluster = await new TestCluster(azurite, settings: dashboard.Environment).StartAsync(2);
        var gateway = await cluster.StartGatewayAsync();
        var id = await GatewayCommand.SubmitAsync(gateway, Specifications.Long.Replace("name: long", "name: killed", StringComparison.Ordinal).Replace("epochs: 12", "epochs: 60", StringComparison.Ordinal));
        var trace = await TraceAsync(id);
        await SeenAsync(trace, span => span.Name.StartsWith("weigh epoch", StringComparison.Ordinal)); // what a process has not sent when it is killed, nobody has seen
        var killed = cluster.Silo(await cluster.WeighingAsync(id, 4));
        await killed.KillAsync();
        await cluster.EndAsync(id, Deadline);
        var spans = await WholeAsync(trace);

        AssertConnected(spans);
        var survivor = cluster.Silos.Single(silo => silo != killed);
        Assert.Contains(spans, span => span.Instance == killed.Instance && span.Name.StartsWith("weigh epoch", StringComparison.Ordinal));
        Assert.Contains(spans, span => span.Instance == survivor.Instance && span.Name.StartsWith("weigh epoch", StringComparison.Ordinal));
        // Begun, and begun again elsewhere; once more where the dead silo held the directory's entry of a grain on the other, which Orleans then brings up anew.
        Assert.InRange(spans.Count(span => span.Name == "weigh"), 2, 4);
    }

    /// <summary>A single person on a laptop sees the same of <c>medmerge run</c>.</summary>
    [Fact]
    public async Task A_plain_run_is_seen_too()
    {
        await dashboard.RunningAsync();
        await PlainRun.RunAsync(Specifications.Tiny.Replace("name: tiny", "name: alone", StringComparison.Ordinal), dashboard.Environment);
        var spans = await WholeAsync(await TraceAsync("alone-"));
        AssertConnected(spans);
        Assert.Contains(spans, span => span.Name == "evaluate done");
        await SeenAsync(null, span => span.Name == "sweep" && span.Sweep?.StartsWith("alone-", StringComparison.Ordinal) == true && span.Parent is null);
    }

    /// <summary>Every span of ours leads to the one root.</summary>
    private static void AssertConnected(List<SpanSeen> spans)
    {
        var known = spans.ToDictionary(span => span.Id);
        var ours = Ours(spans).ToList();
        Assert.Single(ours, span => span.Parent is null);
        var torn = ours.Where(span => span.Parent is not null && !known.ContainsKey(span.Parent)).ToList();
        Assert.True(torn.Count == 0, $"These have no parent:\n{Describe(torn)}\namong\n{Describe(Ours(spans))}");
    }

    /// <summary>The trace of the one trial of a sweep.</summary>
    /// <param name="sweep">How the sweep's id begins.</param>
    private async Task<string> TraceAsync(string sweep) =>
        (await SeenAsync(null, span => span.Sweep?.StartsWith(sweep, StringComparison.Ordinal) == true && span.Name.StartsWith("trial 1:", StringComparison.Ordinal))).Trace;

    /// <summary>All spans of a trace whose trial has ended. Every process sends its own in its own time: they are all here when the trial's end is, and no more come.</summary>
    private async Task<List<SpanSeen>> WholeAsync(string trace)
    {
        await SeenAsync(trace, span => span.Name == "evaluate done");
        var known = -1;
        while (true)
        {
            var spans = await dashboard.SpansAsync(trace);
            if (spans.Count == known) return spans;
            known = spans.Count;
            await Task.Delay(Quiet, Cancellation);
        }
    }

    /// <summary>Waits for a span of a trace, or of any trace.</summary>
    private async Task<SpanSeen> SeenAsync(string? trace, Predicate<SpanSeen> isIt)
    {
        for (var attempt = 0; ; attempt++)
        {
            var spans = await dashboard.SpansAsync(trace);
            if (spans.Find(isIt) is { } seen) return seen;
            if (attempt == 60) Assert.Fail($"Not seen in time among\n{Describe(Ours(spans))}");
            await Task.Delay(500, Cancellation);
        }
    }

    /// <summary>Without those of Orleans and the blob client, which are hundreds.</summary>
    private static IEnumerable<SpanSeen> Ours(IEnumerable<SpanSeen> spans) => spans.Where(span => span.Source == "MedMerge");

    private static string Describe(IEnumerable<SpanSeen> spans) => string.Join('\n', spans.Select(span => $"{span.Trace[..6]} {span.Id} <- {span.Parent} {span.Instance} {span.Source}: {span.Name} {span.Sweep}"));
}

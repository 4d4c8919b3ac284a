using MedMerge.Grains;
using MedMerge.Storage.Tests;

namespace MedMerge.Cluster.Tests;

/// <summary>What platform teams see of a cluster of real processes, in the real Aspire dashboard.</summary>
public sealed class TelemetryTests(GarnetServer garnet, AzuriteServer azurite, DashboardServer dashboard, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trial_is_one_trace_over_the_gateway_and_both_silos_and_its_metrics_are_there()
    {
        await dashboard.RunningAsync();
        await using var cluster = await new TestCluster(garnet, azurite, settings: dashboard.Environment).StartAsync(2);
        var gateway = await cluster.StartGatewayAsync();
        var id = await GatewayCommand.SubmitAsync(gateway, Specifications.Long);
        await cluster.EndAsync(id, Deadline);

        var trace = (await SeenAsync(spans => spans.Any(span => span.Sweep == id && span.Name.StartsWith("trial 1:", StringComparison.Ordinal)) && spans.Any(span => span.Name == "evaluate save")))
            .Single(span => span.Sweep == id && span.Name.StartsWith("trial ", StringComparison.Ordinal)).Trace;
        var spans = await dashboard.SpansAsync(trace);
        output.WriteLine(Describe(spans));

        AssertConnected(spans);
        Assert.DoesNotContain(spans, span => span.IsError);
        Assert.Equal(new[] { gateway.Instance, cluster.Silos[0].Instance, cluster.Silos[1].Instance }.Order(), spans.Select(span => span.Instance).Distinct().Order());
        string[] wanted = ["import|fine-tune", "prepare", "probe", "weigh", "open shards", "weigh epoch 12", "merge", "fine-tune epoch 1", "evaluate"];
        Assert.All(wanted, name => Assert.Contains(spans, span => name.Split('|').Contains(span.Name)));
        Assert.Equal(13, spans.Count(span => span.Name.StartsWith("weigh epoch", StringComparison.Ordinal))); // twelve and the start
        Assert.Contains(spans, span => span.Source.StartsWith("Azure.", StringComparison.Ordinal)); // blob calls
        Assert.Contains(spans, span => span.Source.StartsWith("Microsoft.Orleans", StringComparison.Ordinal)); // grain calls
        Assert.DoesNotContain(spans, span => RepeatedCalls.Names.Contains(span.Name));

        // The request that submitted it is a trace of its own, with the sweep in it, and nothing else makes traces.
        var all = await dashboard.SpansAsync();
        Assert.Contains(all, span => span.Name == "sweep" && span.Sweep == id);
        var ids = all.Select(span => span.Id).ToHashSet();
        var strays = all.Where(span => (span.Parent is null || !ids.Contains(span.Parent)) && span.Source != "MedMerge" && !span.Source.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)).ToList();
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
        await using var cluster = await new TestCluster(garnet, azurite, settings: dashboard.Environment).StartAsync(2);
        var gateway = await cluster.StartGatewayAsync();
        var id = await GatewayCommand.SubmitAsync(gateway, Specifications.Long.Replace("name: long", "name: killed", StringComparison.Ordinal));
        var killed = cluster.Silo(await cluster.WeighingAsync(id, 4));
        await killed.KillAsync();
        await cluster.EndAsync(id, Deadline);

        var trace = (await SeenAsync(spans => spans.Any(span => span.Sweep == id && span.Name.StartsWith("trial ", StringComparison.Ordinal)))).First(span => span.Sweep == id && span.Name.StartsWith("trial ", StringComparison.Ordinal)).Trace;
        await SeenAsync(spans => spans.Any(span => span.Trace == trace && span.Name == "evaluate save"));
        var spans = await dashboard.SpansAsync(trace);
        output.WriteLine(Describe(spans));

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
        var trial = (await SeenAsync(spans => spans.Any(span => span.Sweep?.StartsWith("alone-", StringComparison.Ordinal) == true && span.Name.StartsWith("trial 1", StringComparison.Ordinal))))
            .First(span => span.Sweep?.StartsWith("alone-", StringComparison.Ordinal) == true && span.Name.StartsWith("trial 1", StringComparison.Ordinal));
        var spans = await dashboard.SpansAsync(trial.Trace);
        AssertConnected(spans);
        Assert.Contains(spans, span => span.Name == "evaluate done");
    }

    /// <summary>Every span of ours leads to the one root.</summary>
    private static void AssertConnected(List<SpanSeen> spans)
    {
        var known = spans.ToDictionary(span => span.Id);
        var ours = spans.Where(span => span.Source == "MedMerge").ToList();
        Assert.Single(ours, span => span.Parent is null);
        var torn = ours.Where(span => span.Parent is not null && !known.ContainsKey(span.Parent)).ToList();
        Assert.True(torn.Count == 0, $"These have no parent:\n{Describe(torn)}\namong\n{Describe(spans)}");
    }

    private async Task<List<SpanSeen>> SeenAsync(Func<List<SpanSeen>, bool> isEnough)
    {
        for (var attempt = 0; ; attempt++)
        {
            var spans = await dashboard.SpansAsync();
            if (isEnough(spans)) return spans;
            if (attempt == 60) Assert.Fail($"Not seen in time among\n{Describe(spans)}");
            await Task.Delay(500, Cancellation);
        }
    }

    private static string Describe(List<SpanSeen> spans) => string.Join('\n', spans.Select(span => $"{span.Trace[..6]} {span.Id} <- {span.Parent} {span.Instance} {span.Source}: {span.Name} {span.Sweep}"));
}

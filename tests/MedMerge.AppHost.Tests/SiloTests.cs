using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using MedMerge.Testing;

namespace MedMerge.AppHost.Tests;

/// <summary>The silos of the app host.</summary>
public sealed class SiloTests(RunningAppHost host)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task There_are_as_many_silos_as_the_parameter_says()
    {
        await host.HealthyAsync();
        await using var three = await RunningAppHost.StartAsync(silos: 3);
        Assert.Equal(3, three.Silos.Count);
        using var http = new HttpClient { BaseAddress = three.Gateway };
        using var nodes = JsonDocument.Parse(await http.GetStringAsync("/api/v1/nodes", Cancellation));
        Assert.Equal(3, nodes.RootElement.GetArrayLength());
    }

    [Fact]
    public async Task A_trial_whose_silo_is_killed_ends_with_the_same_bytes_and_one_connected_trace()
    {
        await host.HealthyAsync();
        var id = await host.StartSweepAsync(TestSweeps.Killed);
        var telemetry = new DashboardTelemetry(host.Dashboard);
        var trace = await telemetry.TrialTraceAsync(id);
        await telemetry.FindAsync(trace, span => span.Name.StartsWith("weigh epoch", StringComparison.Ordinal));
        var killed = Silo(await CoordinatorAsync(id, epoch: 4));
        var survivor = host.Silos.Single(silo => silo.ResourceId != killed.ResourceId);

        var result = await host.Commands.ExecuteCommandAsync(killed.ResourceId, "kill", Cancellation);
        Assert.True(result.Success, result.Message);
        await host.SweepAsync(id, state => state == "Done, 1 of 1 trials");

        var plain = await PlainRun.OutputsAsync(TestSweeps.Yaml[TestSweeps.Killed]);
        var outputs = await host.OutputsAsync();
        Assert.All(plain, output => Assert.Equal(output.Value, outputs.GetValueOrDefault(output.Key)));

        var spans = await telemetry.WholeTraceAsync(trace);
        DashboardTelemetry.AssertConnected(spans);
        Assert.All([killed, survivor], silo => Assert.Contains(spans, span =>
            span.Process == silo.ResourceId && span.Name.StartsWith("weigh epoch", StringComparison.Ordinal)));

        var exited = await host.Notifications.WaitForResourceAsync("silo", change => HasExited(change, killed.ResourceId), Cancellation);
        var start = await host.Commands.ExecuteCommandAsync(exited.ResourceId, KnownResourceCommands.StartCommand, Cancellation);
        Assert.True(start.Success, start.Message);
        await host.HealthyAsync();
    }

    /// <summary>Waits until the trial has learned its kernel weights for some epochs.</summary>
    /// <returns>The node of its coordinator.</returns>
    private async Task<string> CoordinatorAsync(string id, int epoch)
    {
        using var http = new HttpClient { BaseAddress = host.Gateway };
        while (true)
        {
            using var page = JsonDocument.Parse(await http.GetStringAsync($"/api/v1/sweeps/{id}/trials", Cancellation));
            var trial = page.RootElement.GetProperty("trials")[0];
            Assert.NotEqual("Done", trial.GetProperty("state").GetString());
            var progress = trial.GetProperty("progress");
            if (progress.ValueKind == JsonValueKind.Object
                && progress.GetProperty("stage").GetString() == "weigh"
                && progress.GetProperty("epoch") is { ValueKind: JsonValueKind.Number } reached
                && reached.GetInt32() >= epoch)
            {
                return progress.GetProperty("node").GetString()!;
            }
            await Task.Delay(PollInterval, Cancellation);
        }
    }

    private static bool HasExited(ResourceEvent change, string replica) =>
        change.ResourceId == replica && KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text);

    /// <summary>The replica whose silo port is part of a node's name.</summary>
    private ResourceEvent Silo(string node) => host.Silos.Single(silo => silo.Snapshot.EnvironmentVariables.Any(variable =>
        variable.Name == "Orleans__Endpoints__SiloPort" && node.Contains($":{variable.Value}", StringComparison.Ordinal)));
}

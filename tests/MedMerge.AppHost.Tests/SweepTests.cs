using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;

namespace MedMerge.AppHost.Tests;

/// <summary>Sweeps as resources of the app host.</summary>
public sealed partial class SweepTests(RunningAppHost host)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_resources_become_healthy()
    {
        var names = await host.HealthyAsync();
        Assert.Superset(new HashSet<string> { "azurite", "gateway", "silo" }, names.ToHashSet());
        Assert.Equal(RunningAppHost.DefaultSilos, host.Silos.Count);
    }

    [Fact]
    public async Task A_started_sweep_is_a_resource_with_live_state_and_ends_with_results()
    {
        var id = await host.StartSweepAsync(TestSweeps.Small);
        var states = new List<string>();
        var snapshot = await host.SweepAsync(id, state =>
        {
            states.Add(state);
            return state.StartsWith("Done", StringComparison.Ordinal);
        });

        Assert.Equal("Sweep", snapshot.ResourceType);
        Assert.Equal("Done, 3 of 3 trials", snapshot.State!.Text);
        Assert.Equal(KnownResourceStateStyles.Success, snapshot.State.Style);
        Assert.Contains(states, state => Running().IsMatch(state));
        using var http = new HttpClient();
        var results = await http.GetStringAsync(snapshot.Urls.Single(url => url.Name == "results").Url, Cancellation);
        Assert.Contains("| medmerge |", results, StringComparison.Ordinal);
        Assert.Contains("| lp-ft", results, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_is_paused_resumed_and_cancelled()
    {
        var id = await host.StartSweepAsync(TestSweeps.Endless);
        var running = await host.SweepAsync(id, Running().IsMatch);
        Assert.Equal(["cancel", "pause"], EnabledCommands(running));

        await SteerAsync(id, "pause");
        var paused = await host.SweepAsync(id, state => state == "Paused, 0 of 1 trials");
        Assert.Equal(["cancel", "resume"], EnabledCommands(paused));

        await SteerAsync(id, "resume");
        await host.SweepAsync(id, Running().IsMatch);

        await SteerAsync(id, "cancel");
        var cancelled = await host.SweepAsync(id, state => state == "Cancelled, 0 of 1 trials");
        Assert.Equal(["resume"], EnabledCommands(cancelled));
    }

    private async Task SteerAsync(string id, string verb)
    {
        var result = await host.Commands.ExecuteCommandAsync(id, verb, Cancellation);
        Assert.True(result.Success, result.Message);
    }

    private static IEnumerable<string> EnabledCommands(CustomResourceSnapshot sweep) => sweep.Commands
        .Where(command => command.State == ResourceCommandState.Enabled)
        .Select(command => command.Name)
        .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"^\d of \d trials$")]
    private static partial Regex Running();
}

using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using MedMerge.Grains;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MedMerge.AppHost;

/// <summary>A sweep, as a resource of its own.</summary>
internal sealed class SweepResource(string id) : Resource(id)
{
    /// <summary>Where it was last.</summary>
    public SweepSummary? Line { get; set; }
}

/// <summary>Shows the gateway's sweeps as resources, with how far they are and what can be done with them.</summary>
internal sealed class SweepResources(EndpointReference gateway, ResourceNotificationService notifications, DistributedApplicationModel model, ILogger<SweepResources> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Dictionary<string, SweepResource> _shown = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await notifications.WaitForResourceHealthyAsync(gateway.Resource.Name, stoppingToken).ConfigureAwait(false);
        using var timer = new PeriodicTimer(Period);
        do
        {
            try
            {
                foreach (var line in await ListAsync(stoppingToken).ConfigureAwait(false)) await ShowAsync(line).ConfigureAwait(false);
            }
            catch (Exception error) when (error is HttpRequestException or JsonException or OperationCanceledException && !stoppingToken.IsCancellationRequested)
            {
                logger.LogDebug(error, "The gateway does not tell of its sweeps now.");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    /// <summary>Asks under a trace that is not recorded: a request every two seconds would push the trials' traces out of the dashboard.</summary>
    private async Task<List<SweepSummary>> ListAsync(CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{gateway.Url}/api/v1/sweeps");
        request.Headers.Add("traceparent", $"00-{ActivityTraceId.CreateRandom().ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-00");
        using var answer = await Http.SendAsync(request, cancellation).ConfigureAwait(false);
        return await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<List<SweepSummary>>(cancellation).ConfigureAwait(false) ?? [];
    }

    private async Task ShowAsync(SweepSummary line)
    {
        if (!_shown.TryGetValue(line.Id, out var sweep))
        {
            _shown[line.Id] = sweep = WithCommands(new SweepResource(line.Id));
            model.Resources.Add(sweep); // the dashboard needs it not, `aspire describe` does
        }
        if (sweep.Line == line) return;
        sweep.Line = line;
        await notifications.PublishUpdateAsync(sweep, snapshot => snapshot with
        {
            ResourceType = "Sweep",
            State = new ResourceStateSnapshot(line.Text, Style(line)),
            CreationTimeStamp = line.Submitted.UtcDateTime,
            StartTimeStamp = line.Submitted.UtcDateTime,
            Properties = [new("sweep.name", line.Name), new("sweep.reason", line.Reason ?? ""), new("resource.parentName", gateway.Resource.Name)],
            Urls = [new UrlSnapshot("results", $"{gateway.Url}/api/v1/sweeps/{line.Id}/results?format=md", IsInternal: false) { DisplayProperties = new("Results", 0) }],
        }).ConfigureAwait(false);
    }

    private SweepResource WithCommands(SweepResource sweep)
    {
        Add("pause", "Pause", "Pause", confirmation: null);
        Add("resume", "Resume", "Play", confirmation: null);
        Add("cancel", "Cancel", "Stop", $"Cancel {sweep.Name}? What it has computed is kept.");
        return sweep;

        void Add(string verb, string title, string icon, string? confirmation) => sweep.Annotations.Add(new ResourceCommandAnnotation(verb, title,
            _ => sweep.Line?.Allows(verb) == true ? ResourceCommandState.Enabled : ResourceCommandState.Hidden,
            context => SteerAsync(sweep.Name, verb, context.CancellationToken), displayDescription: null, parameter: null, confirmation, icon, IconVariant.Regular, isHighlighted: verb == "pause"));
    }

    private async Task<ExecuteCommandResult> SteerAsync(string id, string verb, CancellationToken cancellation)
    {
        using var answer = await Http.PostAsync($"{gateway.Url}/api/v1/sweeps/{id}/{verb}", content: null, cancellation).ConfigureAwait(false);
        return answer.IsSuccessStatusCode ? CommandResults.Success() : CommandResults.Failure(await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
    }

    private static string Style(SweepSummary line) => line.State switch
    {
        WorkState.Done => line.Done == line.Trials ? KnownResourceStateStyles.Success : KnownResourceStateStyles.Warn,
        WorkState.Failed or WorkState.Damaged => KnownResourceStateStyles.Error,
        WorkState.Paused or WorkState.Cancelled => KnownResourceStateStyles.Warn,
        _ => KnownResourceStateStyles.Info,
    };
}

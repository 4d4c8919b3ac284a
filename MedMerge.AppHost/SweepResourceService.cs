using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using MedMerge.Grains;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MedMerge.AppHost;

/// <summary>
/// Publishes the gateway's sweeps as resources, each with its progress and the commands <em>Pause</em>, <em>Resume</em>
/// and <em>Cancel</em>.
/// </summary>
internal sealed partial class SweepResourceService(
    EndpointReference gateway,
    ResourceNotificationService notifications,
    DistributedApplicationModel model,
    ILogger<SweepResourceService> logger) : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Dictionary<string, SweepResource> _published = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PollInterval);
        do
        {
            try
            {
                await notifications.WaitForResourceHealthyAsync(
                    gateway.Resource.Name,
                    WaitBehavior.WaitOnResourceUnavailable,
                    stoppingToken);
                foreach (var summary in await ListAsync(stoppingToken)) await PublishAsync(summary);
            }
            catch (Exception exception) when (IsTransient(exception) && !stoppingToken.IsCancellationRequested)
            {
                LogNotListed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static bool IsTransient(Exception exception) =>
        exception is HttpRequestException or JsonException or OperationCanceledException;

    /// <summary>
    /// Lists the sweeps under a trace that is not recorded: a request every two seconds would crowd out the trials'
    /// traces.
    /// </summary>
    private async Task<List<SweepSummary>> ListAsync(CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{gateway.Url}/api/v1/sweeps");
        request.Headers.Add("traceparent", $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00");
        using var response = await Http.SendAsync(request, cancellation);
        return await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<List<SweepSummary>>(cancellation) ?? [];
    }

    private async Task PublishAsync(SweepSummary summary)
    {
        if (!_published.TryGetValue(summary.Id, out var sweep))
        {
            _published[summary.Id] = sweep = new SweepResource(summary.Id);
            AddCommands(sweep);
            model.Resources.Add(sweep); // the dashboard does not need it, `aspire describe` does
        }
        if (sweep.Summary == summary) return;
        sweep.Summary = summary;
        await notifications.PublishUpdateAsync(sweep, snapshot => snapshot with
        {
            ResourceType = "Sweep",
            State = new ResourceStateSnapshot(summary.Text, Style(summary)),
            CreationTimeStamp = summary.Submitted.UtcDateTime,
            StartTimeStamp = summary.Submitted.UtcDateTime,
            Properties =
            [
                new("sweep.name", summary.Name),
                new("sweep.reason", summary.Reason ?? ""),
                new("resource.parentName", gateway.Resource.Name),
            ],
            Urls =
            [
                new UrlSnapshot("page", $"{gateway.Url}/sweeps/{summary.Id}", IsInternal: false)
                {
                    DisplayProperties = new("Sweep", 1),
                },
                new UrlSnapshot("results", $"{gateway.Url}/api/v1/sweeps/{summary.Id}/results?format=md", IsInternal: false)
                {
                    DisplayProperties = new("Results", 0),
                },
            ],
        });
    }

    private void AddCommands(SweepResource sweep)
    {
        Add("pause", "Pause", "Pause", confirmation: null);
        Add("resume", "Resume", "Play", confirmation: null);
        Add("cancel", "Cancel", "Stop", $"Cancel {sweep.Name}? Finished results are kept.");

        void Add(string verb, string title, string icon, string? confirmation) => sweep.Annotations.Add(new ResourceCommandAnnotation(
            name: verb,
            displayName: title,
            updateState: _ => sweep.Summary?.Allows(verb) == true ? ResourceCommandState.Enabled : ResourceCommandState.Hidden,
            executeCommand: context => SteerAsync(sweep.Name, verb, context.CancellationToken),
            displayDescription: null,
            parameter: null,
            confirmationMessage: confirmation,
            iconName: icon,
            iconVariant: IconVariant.Regular,
            isHighlighted: verb == "pause"));
    }

    private async Task<ExecuteCommandResult> SteerAsync(string id, string verb, CancellationToken cancellation)
    {
        using var response = await Http.PostAsync($"{gateway.Url}/api/v1/sweeps/{id}/{verb}", content: null, cancellation);
        return response.IsSuccessStatusCode
            ? CommandResults.Success()
            : CommandResults.Failure(await response.Content.ReadAsStringAsync(cancellation));
    }

    private static string Style(SweepSummary summary) => summary.State switch
    {
        WorkState.Done when summary.Counts.Done + summary.Counts.StoppedEarly == summary.Counts.Total => KnownResourceStateStyles.Success,
        WorkState.Done or WorkState.Paused or WorkState.Cancelled => KnownResourceStateStyles.Warn,
        WorkState.Failed or WorkState.Damaged => KnownResourceStateStyles.Error,
        _ => KnownResourceStateStyles.Info,
    };

    [LoggerMessage(LogLevel.Warning, "The gateway's sweeps can't be listed. Trying again.")]
    private partial void LogNotListed(Exception exception);
}

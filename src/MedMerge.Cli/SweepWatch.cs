using System.Text.Json;
using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>Follows a sweep through a gateway until it ends, and reconnects when the connection is lost.</summary>
/// <param name="json">Where every status is written as a line of JSON, in place of the display; null for nowhere.</param>
internal sealed class SweepWatch(GatewayClient gateway, TextWriter error, TextWriter? json = null)
{
    private static readonly JsonSerializerOptions OneLine = new(GatewayClient.Json) { WriteIndented = false };
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private readonly SweepDisplay _display = SweepDisplay.Create(error);

    /// <summary>Shows the sweep's progress and how it ended.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string id, CancellationToken cancellation)
    {
        SweepStatus status;
        try
        {
            status = await (json is null ? _display.RunAsync(() => FollowAsync(id, cancellation)) : FollowAsync(id, cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await error.WriteLineAsync(
                $"No longer watching. The sweep continues: `medmerge watch {id}` shows it again, `medmerge cancel {id}` ends it.");
            return ExitCodes.Interrupted;
        }
        foreach (var state in new[] { WorkState.Failed, WorkState.Quarantined })
            await foreach (var trial in gateway.GetTrialsAsync(id, state, cancellation))
                await error.WriteLineAsync(ProgressLine.DescribeFailure(trial));
        var reason = status.Reason is null ? "" : $" {status.Reason}";
        await error.WriteLineAsync($"{id}: {status.State}, {TrialCountsText.Describe(status.Counts)}.{reason}");
        return status.IsComplete ? ExitCodes.Done : ExitCodes.Failed;
    }

    private async Task<SweepStatus> FollowAsync(string id, CancellationToken cancellation)
    {
        SweepStatus? last = null;
        while (true)
        {
            try
            {
                await foreach (var (status, trials) in gateway.StreamEventsAsync(id, _display.ShowsTrials, cancellation))
                {
                    _display.Add(trials);
                    if (status is null) continue;
                    ReportChange(id, last, status);
                    last = status;
                    if (json is not null) await json.WriteLineAsync(JsonSerializer.Serialize(status, OneLine));
                    if (status.HasEnded) return status;
                    if (json is null) _display.Show(status);
                }
                _display.Report("The connection was lost; connecting again.");
            }
            catch (GatewayException problem) when (last is not null)
            {
                _display.Report($"{problem.Message} Trying again.");
            }
            await Task.Delay(RetryDelay, cancellation);
        }
    }

    private void ReportChange(string id, SweepStatus? last, SweepStatus status)
    {
        var isNewState = status.State != last?.State;
        if (isNewState && status.State == WorkState.Paused) _display.Report($"{id} is paused; `medmerge resume {id}` resumes it.");
        var isWaiting = status.State == WorkState.Running && status.Reason is not null;
        if (isWaiting && status.Reason != last?.Reason) _display.Report(status.Reason!);
    }
}

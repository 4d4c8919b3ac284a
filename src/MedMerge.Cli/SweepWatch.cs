using MedMerge.Cli.Commands;
using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>Follows a sweep through a gateway until it ends, and reconnects when the connection is lost.</summary>
internal sealed class SweepWatch(GatewayClient gateway, TextWriter error)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private readonly ProgressLine _line = CommonOptions.CreateProgressLine(error);

    /// <summary>Shows the sweep's progress and how it ended.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string id, CancellationToken cancellation)
    {
        SweepStatus status;
        try
        {
            status = await FollowAsync(id, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            _line.End();
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
                await foreach (var status in gateway.StreamEventsAsync(id, cancellation))
                {
                    ReportChange(id, last, status);
                    last = status;
                    if (status.HasEnded)
                    {
                        _line.End();
                        return status;
                    }
                    _line.Show(status);
                }
                Report("The connection was lost; connecting again.");
            }
            catch (GatewayException problem) when (last is not null)
            {
                Report($"{problem.Message} Trying again.");
            }
            await Task.Delay(RetryDelay, cancellation);
        }
    }

    private void ReportChange(string id, SweepStatus? last, SweepStatus status)
    {
        var isNewState = status.State != last?.State;
        if (isNewState && status.State == WorkState.Paused) Report($"{id} is paused; `medmerge resume {id}` resumes it.");
        var isWaiting = status.State == WorkState.Running && status.Reason is not null;
        if (isWaiting && status.Reason != last?.Reason) Report(status.Reason!);
    }

    private void Report(string text)
    {
        _line.End();
        error.WriteLine(text);
    }
}

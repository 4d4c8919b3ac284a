using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>Follows a sweep through a gateway until it has ended, whatever becomes of the connection.</summary>
internal sealed class SweepWatch(GatewayClient gateway, TextWriter error)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private readonly ProgressLine _line = new(error, isTerminal: !Console.IsErrorRedirected && error == Console.Error);

    /// <summary>Shows it, and says how it ended.</summary>
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
            await error.WriteLineAsync($"No longer watching. The sweep goes on: `medmerge watch {id}` shows it again, `medmerge cancel {id}` ends it.");
            return ExitCodes.Interrupted;
        }
        foreach (var trial in status.Trials.Where(trial => trial.Reason is not null && trial.State is WorkState.Failed or WorkState.Quarantined))
            await error.WriteLineAsync(ProgressLine.Failed(trial));
        var reason = status.Reason is null ? "" : $" {status.Reason}";
        await error.WriteLineAsync($"{id}: {status.State}, {status.Done} of {status.Trials.Count} trials have a result.{reason}");
        return status.State == WorkState.Done && status.Done == status.Trials.Count ? ExitCodes.Done : ExitCodes.Failed;
    }

    private async Task<SweepStatus> FollowAsync(string id, CancellationToken cancellation)
    {
        SweepStatus? last = null;
        for (var lost = false; ; lost = true)
        {
            if (lost) await Task.Delay(RetryDelay, cancellation);
            try
            {
                await foreach (var status in gateway.EventsAsync(id, cancellation))
                {
                    if (status.State != last?.State && status.State == WorkState.Paused) Say($"{id} is paused; `medmerge resume {id}` goes on.");
                    if (status.State == WorkState.Running && status.Reason is { } waits && waits != last?.Reason) Say(waits);
                    last = status;
                    if (!status.HasEnded) _line.Show(status);
                    else
                    {
                        _line.End();
                        return status;
                    }
                }
                Say("The connection broke; connecting again.");
            }
            catch (GatewayException problem) when (last is not null)
            {
                Say($"{problem.Message} Trying again.");
            }
        }
    }

    private void Say(string text)
    {
        _line.End();
        error.WriteLine(text);
    }
}

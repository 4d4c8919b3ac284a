using MedMerge.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Resumes every sweep that has not ended, from every node, every few seconds: sweeps survive the loss of any or all
/// nodes. A reminder would do the same once a minute at best and need a table of its own; see docs/decisions/0004.
/// </summary>
internal sealed partial class SweepRecoveryService(
    SweepStore sweeps,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<SweepRecoveryService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                foreach (var id in await sweeps.ActiveAsync(stoppingToken).ConfigureAwait(false))
                {
                    var found = await sweeps.FindAsync(id, stoppingToken).ConfigureAwait(false);
                    if (found is null) continue; // marked as active, its record not written yet
                    await grains.GetGrain<ISweepGrain>(id).WakeAsync().WaitAsync(stoppingToken).ConfigureAwait(false);
                }
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotResumed(error); // the store or the cluster is out of reach
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(LogLevel.Warning, "Active sweeps could not be checked; the next check follows in a few seconds.")]
    private partial void LogNotResumed(Exception error);
}

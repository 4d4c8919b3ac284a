using MedMerge.Grains.Nodes;
using MedMerge.Storage.Schedules;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Schedules;

/// <summary>
/// Looks for due schedules every few seconds, each on one node, and on all every half a minute; see docs/decisions/0008. A schedule that
/// can't be read keeps no other from running.
/// </summary>
internal sealed partial class ScheduleService(
    ScheduleStore schedules,
    ScheduleRunner runner,
    ClusterView cluster,
    TimeProvider time,
    ILogger<ScheduleService> logger)
    : BackgroundService
{
    /// <summary>How often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly SharedRounds _rounds = new(cluster, backupRounds: 3);
    private readonly HashSet<string> _failing = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            _rounds.Begin();
            try
            {
                foreach (var name in await schedules.ListAsync(stoppingToken).ConfigureAwait(false))
                    if (_rounds.Includes(name)) await RunAsync(name, stoppingToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotListed(error); // the store is out of reach
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private async Task RunAsync(string name, CancellationToken cancellation)
    {
        try
        {
            await runner.RunAsync(name, cancellation).ConfigureAwait(false);
            _failing.Remove(name);
        }
        catch (InputException problem)
        {
            if (_failing.Add(name)) LogUnusable(name, problem.Message);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            if (_failing.Add(name)) LogFailed(error, name); // once, not every few seconds
        }
    }

    [LoggerMessage(LogLevel.Warning, "Schedules could not be listed; the next try follows in a few seconds.")]
    private partial void LogNotListed(Exception error);

    [LoggerMessage(LogLevel.Error, "Schedule {Schedule} can't run here: {Reason} It is tried again, without a further message.")]
    private partial void LogUnusable(string schedule, string reason);

    [LoggerMessage(LogLevel.Error, "Schedule {Schedule} failed; it is tried again every few seconds, without a further message.")]
    private partial void LogFailed(Exception error, string schedule);
}

using System.Collections.Concurrent;
using MedMerge.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Resumes every sweep that should be running, every few seconds: sweeps survive the loss of any or all nodes. Each has one node that
/// wakes it, which all agree on; now and then every node wakes all, in case they do not. A reminder would do the same once a minute at
/// best and need a table of its own; see docs/decisions/0004. A sweep that can't be woken, or not soon, keeps no other from being woken.
/// </summary>
internal sealed partial class SweepRecoveryService(
    SweepStore sweeps,
    ClusterView cluster,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<SweepRecoveryService> logger)
    : BackgroundService
{
    /// <summary>How often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly SharedRounds _rounds = new(cluster, backupRounds: 12); // all once a minute
    private readonly ConcurrentDictionary<string, Task> _waking = new();
    private readonly ConcurrentDictionary<string, bool> _failing = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            _rounds.Begin();
            try
            {
                foreach (var id in await sweeps.ActiveAsync(stoppingToken).ConfigureAwait(false))
                    if (_rounds.Includes(id)) Wake(id, stoppingToken);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotListed(error); // the store is out of reach
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private void Wake(string id, CancellationToken cancellation)
    {
        if (!_waking.TryGetValue(id, out var waking) || waking.IsCompleted) _waking[id] = WakeAsync(id, cancellation);
    }

    private async Task WakeAsync(string id, CancellationToken cancellation)
    {
        try
        {
            if (!await sweeps.ExistsAsync(id, cancellation).ConfigureAwait(false)) return; // marked as active, its record not written yet
            await grains.GetGrain<ISweepGrain>(id).WakeAsync().WaitAsync(cancellation).ConfigureAwait(false);
            _failing.TryRemove(id, out _);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            if (_failing.TryAdd(id, true)) LogNotWoken(error, id); // once, not every few seconds
        }
        catch (OperationCanceledException)
        {
            // the node is leaving
        }
    }

    [LoggerMessage(LogLevel.Warning, "Active sweeps could not be listed; the next try follows in a few seconds.")]
    private partial void LogNotListed(Exception error);

    [LoggerMessage(LogLevel.Warning, "Sweep {Sweep} could not be woken; it is tried again every few seconds, without a further message.")]
    private partial void LogNotWoken(Exception error, string sweep);
}

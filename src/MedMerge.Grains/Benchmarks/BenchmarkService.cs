using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Benchmarks;

/// <summary>
/// Looks for ended sweeps of schedules every few seconds, of each on one node, and on all once a minute. One that can't be recorded keeps
/// no other from being recorded.
/// </summary>
internal sealed partial class BenchmarkService(
    ScheduleStore schedules,
    SweepStore sweeps,
    BenchmarkStore benchmarks,
    BenchmarkRecorder recorder,
    ClusterView cluster,
    TimeProvider time,
    ILogger<BenchmarkService> logger)
    : BackgroundService
{
    /// <summary>How often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly SharedRounds _rounds = new(cluster, backupRounds: 6);
    private readonly HashSet<string> _cancelled = [];
    private readonly HashSet<string> _failing = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                await RecordAllAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotListed(error); // the store is out of reach
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    /// <summary>Records what has ended: one round.</summary>
    internal async Task RecordAllAsync(CancellationToken cancellation)
    {
        _rounds.Begin();
        var all = await schedules.ListAsync(cancellation).ConfigureAwait(false);
        var names = all.Where(_rounds.Includes).ToList();
        if (names.Count == 0) return;
        var active = (await sweeps.ActiveAsync(cancellation).ConfigureAwait(false)).ToHashSet();
        var recorded = await benchmarks.ListAsync(cancellation).ConfigureAwait(false);
        _cancelled.ExceptWith(active); // resumed
        foreach (var name in names)
        {
            var known = recorded.GetValueOrDefault(name)?.ToHashSet() ?? [];
            foreach (var sweep in await sweeps.ListScheduledAsync(name, cancellation).ConfigureAwait(false))
            {
                if (known.Contains(ScheduledRun.FindId(sweep, name)!)) continue;
                if (active.Contains(sweep) || _cancelled.Contains(sweep)) continue;
                await RecordAsync(name, sweep, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task RecordAsync(string name, string sweep, CancellationToken cancellation)
    {
        try
        {
            if (await recorder.RecordAsync(name, sweep, cancellation).ConfigureAwait(false)) _cancelled.Add(sweep);
            _failing.Remove(sweep);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            if (_failing.Add(sweep)) LogFailed(error, name, sweep); // once, not every few seconds
        }
    }

    [LoggerMessage(LogLevel.Warning, "Benchmarks could not be listed; the next try follows in a few seconds.")]
    private partial void LogNotListed(Exception error);

    [LoggerMessage(
        LogLevel.Error,
        "Benchmark {Benchmark}: sweep {Sweep} could not be recorded; it is tried again every few seconds, without a further message.")]
    private partial void LogFailed(Exception error, string benchmark, string sweep);
}

using MedMerge.Experiments.Planning;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Running;

/// <summary>The loop of a running sweep: keeps a limited number of trials running until all have ended.</summary>
internal sealed partial class SweepRunner(
    SweepState sweep,
    SweepActivity activity,
    SweepStore sweeps,
    PlanSummaries plans,
    StageStore stages,
    ClusterView cluster,
    IGrainFactory grains,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private CancellationTokenSource _stop = new();
    private Task _task = Task.CompletedTask;
    private volatile bool _stopsTrials;

    /// <summary>Whether the loop runs.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate) return !_task.IsCompleted;
        }
    }

    /// <summary>Starts the loop if the sweep should be running and isn't.</summary>
    public void EnsureRunning()
    {
        lock (_gate)
        {
            if (sweep.Record.State != WorkState.Running || !_task.IsCompleted || sweep.IsStale) return;
            var stop = _stop = new CancellationTokenSource();
            _stopsTrials = false;
            _task = Task.Run(() => DetachedContext.RunAsync(() => RunAsync(stop.Token)), CancellationToken.None);
        }
    }

    /// <summary>Stops the loop and with it the running trials: the user wants so.</summary>
    public Task StopAsync()
    {
        _stopsTrials = true;
        return LeaveAsync();
    }

    /// <summary>
    /// Stops the loop alone. Running trials keep their leases for a while, and whoever continues the sweep renews them.
    /// </summary>
    public async Task LeaveAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The summary of the sweep's plan.</summary>
    public async Task<PlanSummary> LoadPlanAsync(CancellationToken cancellation) =>
        activity.WithPlan(await plans.GetAsync(sweep.Record, cancellation).ConfigureAwait(false));

    private async Task RunAsync(CancellationToken cancellation)
    {
        using var span = Spans.Start("sweep", Spans.Read(sweep.Record.Trace), new() { ["medmerge.sweep"] = sweep.Id });
        using var states = Instruments.Trials.Add(CountStates);
        try
        {
            var plan = await StartAsync(cancellation).ConfigureAwait(false);
            await RunTrialsAsync(plan, cancellation).ConfigureAwait(false);
            await EndAsync(record => record.Completed()).ConfigureAwait(false);
        }
        catch (InputException problem)
        {
            LogInvalid(problem.InnerException, sweep.Id, problem.Message);
            await EndAsync(record => record.Failed(problem.Message)).ConfigureAwait(false);
        }
        catch (ConcurrentWriterException)
        {
            LogStale(sweep.Id); // whoever wakes the sweep next loads its record again
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // paused, cancelled, or the node is leaving
        }
        catch (Exception error)
        {
            LogFailed(error, sweep.Id);
        }
        finally
        {
            sweep.NotifyChanged();
        }
    }

    private IEnumerable<KeyValuePair<string, int>> CountStates() =>
        sweep.Record.Trials.GroupBy(trial => trial.State).Select(state => KeyValuePair.Create($"{state.Key}", state.Count()));

    private async Task<PlanSummary> StartAsync(CancellationToken cancellation)
    {
        var plan = await LoadPlanAsync(cancellation).ConfigureAwait(false);
        if (sweep.Record.Trials.Count == 0)
        {
            var waiting = plan.Trials.Select(_ => TrialRecord.Waiting(trace: null)).ToList();
            await sweep.WriteAsync(record => record with { Trials = waiting }).ConfigureAwait(false);
        }
        activity.Start(plan, plan.Trials.Where(trial => sweep.Trial(trial.Number).State == WorkState.Done));
        sweep.NotifyChanged();
        return plan;
    }

    private async Task EndAsync(Func<SweepRecord, SweepRecord> change)
    {
        await sweep.WriteAsync(change).ConfigureAwait(false);
        await sweeps.UnmarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task RunTrialsAsync(PlanSummary plan, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = new Queue<PlannedTrial>(plan.Trials.Where(trial => sweep.Trial(trial.Number).IsPending));
        var running = new List<Task>();
        try
        {
            while (waiting.Count + running.Count > 0)
            {
                var limit = await TrialLimitAsync(plan).ConfigureAwait(false);
                while (running.Count < limit && waiting.TryDequeue(out var trial)) running.Add(RunTrialAsync(plan, trial, stop.Token));
                await Task.WhenAny([.. running, Task.Delay(PollInterval, time, stop.Token)]).ConfigureAwait(false);
                foreach (var ended in running.Where(task => task.IsCompleted).ToList())
                {
                    running.Remove(ended);
                    await ended.ConfigureAwait(false);
                }
                cancellation.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// How many trials may run now; renews the ownership of the sweep on the way. Without a node that has the device they
    /// wait, which is no failure of theirs, and the record says so.
    /// </summary>
    private async Task<int> TrialLimitAsync(PlanSummary plan)
    {
        var devices = plan.Scenarios.Select(scenario => scenario.Settings.DeviceKind).Distinct().ToList();
        var missing = devices.FirstOrDefault(device => cluster.NodesWithDevice(device).Count == 0);
        var threads = plan.Scenarios.Min(scenario => scenario.Settings.Threads);
        var lanes = missing is null ? devices.Sum(device => cluster.CountLanes(device, threads)) : 0;
        var reason = missing is null ? null : SiloChoice.NoneHas(missing);
        try
        {
            var mustRenew = sweep.TimeSinceWrite > SweepOwnership.RenewalInterval;
            if (sweep.Record.Reason != reason || mustRenew)
                await sweep.WriteAsync(record => record.WaitingFor(reason)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not ConcurrentWriterException)
        {
            LogNotWritten(error, sweep.Id); // running trials go on; the next round writes it
        }
        return lanes > 0 ? plan.Parallel ?? lanes : 0;
    }

    private async Task RunTrialAsync(PlanSummary plan, PlannedTrial trial, CancellationToken cancellation)
    {
        var key = $"{sweep.Id}/{trial.Number}";
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["Trial"] = key });
        var grain = grains.GetGrain<ITrialGrain>(key);
        var supervisor = new TrialSupervisor(trial, sweep, grain, cluster, time, logger)
        {
            ReadProgress = ReadProgressAsync,
            OnStatus = OnStatus,
            IsGivenUp = () => _stopsTrials,
        };
        try
        {
            await SuperviseAsync(supervisor, key, cancellation).ConfigureAwait(false);
        }
        finally
        {
            activity.OnStopped(trial.Number);
            sweep.NotifyChanged();
        }

        Task<StoredProgress> ReadProgressAsync(CancellationToken read) =>
            stages.ProgressAsync(plan.GetStages(trial).Select(stage => stage.Key), read);

        void OnStatus(TrialStatus status)
        {
            activity.OnStatus(trial.Number, status);
            sweep.NotifyChanged();
        }
    }

    /// <summary>
    /// Runs a supervisor until its trial has ended. An unexpected error, of the store above all, interrupts it and no
    /// other trial; it continues from the record, and the trial itself runs on meanwhile.
    /// </summary>
    private async Task SuperviseAsync(TrialSupervisor supervisor, string trial, CancellationToken cancellation)
    {
        for (var interruptions = 1; ; interruptions++)
        {
            try
            {
                await supervisor.RunAsync(cancellation).ConfigureAwait(false);
                return;
            }
            catch (Exception error) when (error is not ConcurrentWriterException && !cancellation.IsCancellationRequested)
            {
                LogInterrupted(error, trial);
            }
            await Task.Delay(RetryPolicy.BackOff(interruptions), time, cancellation).ConfigureAwait(false);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The supervision of trial {Trial} was interrupted and continues in a moment.")]
    private partial void LogInterrupted(Exception error, string trial);

    [LoggerMessage(LogLevel.Warning, "The record of sweep {Sweep} could not be written.")]
    private partial void LogNotWritten(Exception error, string sweep);

    [LoggerMessage(LogLevel.Warning, "Sweep {Sweep} can't be run: {Reason}")]
    private partial void LogInvalid(Exception? cause, string sweep, string reason);

    [LoggerMessage(LogLevel.Information, "Another process has changed the record of sweep {Sweep}, which stops here.")]
    private partial void LogStale(string sweep);

    [LoggerMessage(LogLevel.Error, "Sweep {Sweep} failed unexpectedly and will be resumed by the recovery service.")]
    private partial void LogFailed(Exception error, string sweep);
}

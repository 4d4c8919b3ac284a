using System.Collections.Concurrent;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Running;

/// <summary>
/// The loop of a running sweep: keeps a limited number of trials running until all have ended. What it costs depends on the trials that
/// run, not on those that have ended.
/// </summary>
internal sealed partial class SweepRunner(
    SweepState sweep,
    SweepActivity activity,
    SweepStore sweeps,
    PlanSummaries plans,
    StageStore stages,
    ClusterView cluster,
    LaneShares shares,
    IGrainFactory grains,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<int, RunningTrial> _running = new();
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

    /// <summary>Stops a trial, where it runs.</summary>
    /// <param name="number">From 1.</param>
    public async Task StopTrialAsync(int number)
    {
        if (!_running.TryGetValue(number, out var trial)) return;
        trial.IsGivenUp = true;
        await trial.Stop.CancelAsync().ConfigureAwait(false);
        await trial.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The summary of the sweep's plan.</summary>
    public async Task<PlanSummary> LoadPlanAsync(CancellationToken cancellation) =>
        activity.Plan ?? activity.WithPlan(await ReadPlanAsync(sweep.Record, cancellation).ConfigureAwait(false));

    /// <summary>Limits that a plan begins with.</summary>
    public static SweepLimits LimitsOf(PlanSummary plan) =>
        new(plan.Parallel, plan.Priority, plan.Budget?.Trials, plan.Budget?.DeviceHours);

    /// <summary>Has the record say how many trials there are, and within which limits they run.</summary>
    public async Task<PlanSummary> PlanAsync(CancellationToken cancellation)
    {
        var plan = await LoadPlanAsync(cancellation).ConfigureAwait(false);
        await sweep.WriteAsync(record => record.Planned(plan.Trials.Count, LimitsOf(plan))).ConfigureAwait(false);
        return plan;
    }

    /// <summary>The summary of a record's plan.</summary>
    public Task<PlanSummary> ReadPlanAsync(SweepRecord record, CancellationToken cancellation) => plans.GetAsync(record, cancellation);

    private async Task RunAsync(CancellationToken cancellation)
    {
        using var span = Spans.Start("sweep", Spans.Read(sweep.Record.Trace), new() { ["medmerge.sweep"] = sweep.Id });
        using var states = Instruments.Trials.Add(CountStates);
        try
        {
            var plan = await StartAsync(cancellation).ConfigureAwait(false);
            do
            {
                await RunTrialsAsync(plan, cancellation).ConfigureAwait(false);
                await EndAsync(record => record.Completed()).ConfigureAwait(false);
            }
            while (sweep.Record.State == WorkState.Running); // a user has had trials tried again meanwhile
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

    private IEnumerable<KeyValuePair<string, int>> CountStates()
    {
        var counts = sweep.Record.Trials.Counts;
        yield return KeyValuePair.Create(nameof(WorkState.Waiting), counts.Waiting);
        yield return KeyValuePair.Create(nameof(WorkState.Running), counts.Running);
        yield return KeyValuePair.Create(nameof(WorkState.Done), counts.Done);
        yield return KeyValuePair.Create(nameof(WorkState.StoppedEarly), counts.StoppedEarly);
        yield return KeyValuePair.Create(nameof(WorkState.Failed), counts.Failed);
        yield return KeyValuePair.Create(nameof(WorkState.Cancelled), counts.Cancelled);
        yield return KeyValuePair.Create(nameof(WorkState.Quarantined), counts.Quarantined);
    }

    private async Task<PlanSummary> StartAsync(CancellationToken cancellation)
    {
        var plan = await PlanAsync(cancellation).ConfigureAwait(false);
        activity.Start(plan, plan.Trials.Where(trial => sweep.Trial(trial.Number).State == WorkState.Done));
        sweep.NotifyChanged();
        return plan;
    }

    private async Task EndAsync(Func<SweepRecord, SweepRecord> change)
    {
        await sweep.WriteAsync(change).ConfigureAwait(false);
        await sweeps.UnmarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
        if (sweep.Record.State == WorkState.Running) await sweeps.MarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task RunTrialsAsync(PlanSummary plan, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var search = plan.Halving is null ? null : new SearchRungs(plan);
        try
        {
            while (true)
            {
                var changed = sweep.NextChange;
                if (search?.HasDecision(sweep.Record) == true) await sweep.WriteAsync(search.Decide).ConfigureAwait(false);
                var lanes = await LimitAsync(plan).ConfigureAwait(false);
                foreach (var number in SweepSchedule.Next(sweep.Record, _running.Keys.ToHashSet(), lanes))
                    Start(plan, plan.Trials[number - 1], stop.Token);
                await LeaveOutWhatABudgetForbidsAsync().ConfigureAwait(false);
                if (_running.IsEmpty && sweep.Record.Trials.Counts.Pending == 0) return;
                var poll = Task.Delay(PollInterval, time, stop.Token);
                await Task.WhenAny([.. _running.Values.Select(trial => trial.Task), changed, poll]).ConfigureAwait(false);
                foreach (var (number, ended) in _running.Where(trial => trial.Value.Task.IsCompleted).ToList())
                {
                    _running.TryRemove(number, out _);
                    using var cancelled = ended.Stop;
                    if (ended.IsGivenUp) await ended.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    else await ended.Task.ConfigureAwait(false);
                }
                cancellation.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(_running.Values.Select(trial => trial.Task)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _running.Clear();
        }
    }

    private void Start(PlanSummary plan, PlannedTrial trial, CancellationToken cancellation)
    {
        var running = new RunningTrial(CancellationTokenSource.CreateLinkedTokenSource(cancellation));
        _running[trial.Number] = running;
        running.Task = RunTrialAsync(plan, trial, running);
    }

    /// <summary>Once a budget is spent, and what had begun has ended, the trials that it leaves out are cancelled.</summary>
    private async Task LeaveOutWhatABudgetForbidsAsync()
    {
        if (!_running.IsEmpty || !SweepSchedule.IsBudgetSpent(sweep.Record)) return;
        await sweep.WriteAsync(record => record.WithoutTrials(record.Trials.Startable, TrialRecord.LeftOutByBudget)).ConfigureAwait(false);
    }

    /// <summary>
    /// How many trials may run now; renews the ownership of the sweep on the way. Without a node that has the device they
    /// wait, which is no failure of theirs, and the record says so.
    /// </summary>
    private async Task<int> LimitAsync(PlanSummary plan)
    {
        var devices = plan.Scenarios.Select(scenario => scenario.Settings.DeviceKind).Distinct().ToList();
        var missing = devices.FirstOrDefault(device => cluster.NodesWithDevice(device).Count == 0);
        var threads = plan.Scenarios.Min(scenario => scenario.Settings.Threads);
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
        return missing is null ? await shares.GetAsync(sweep, devices, threads).ConfigureAwait(false) : 0;
    }

    private async Task RunTrialAsync(PlanSummary plan, PlannedTrial trial, RunningTrial running)
    {
        await Task.Yield(); // the caller starts others meanwhile
        var revision = sweep.Record.Revision;
        var rung = sweep.Trial(trial.Number).Rung;
        var key = $"{sweep.Id}/{trial.Number}{(revision > 0 ? $".{revision}" : "")}{(rung > 0 ? $"-{rung}" : "")}";
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["Trial"] = key });
        var grain = grains.GetGrain<ITrialGrain>(key);
        var supervisor = new TrialSupervisor(trial, sweep, grain, cluster, time, logger)
        {
            ReadProgress = ReadProgressAsync,
            ReadScore = ReadScoreAsync,
            OnStatus = OnStatus,
            TakeSeconds = activity.TakeSeconds,
            IsGivenUp = () => _stopsTrials || running.IsGivenUp,
        };
        try
        {
            await SuperviseAsync(supervisor, key, running.Stop.Token).ConfigureAwait(false);
        }
        finally
        {
            activity.OnStopped(trial.Number);
            sweep.NotifyChanged(trial.Number);
        }

        Task<StoredProgress> ReadProgressAsync(CancellationToken read) =>
            stages.ProgressAsync(plan.GetStages(trial).Select(stage => stage.Key), read);

        async Task<double?> ReadScoreAsync(string stage, CancellationToken read)
        {
            var file = await stages.GetFileAsync(stage, StageFiles.Score, read).ConfigureAwait(false);
            return StageFiles.Read<RungScore>(file, StageFiles.Score).Score;
        }

        void OnStatus(TrialStatus status)
        {
            if (activity.OnStatus(trial.Number, status)) sweep.NotifyChanged(trial.Number);
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

    /// <summary>A trial that the loop supervises.</summary>
    private sealed class RunningTrial(CancellationTokenSource stop)
    {
        public CancellationTokenSource Stop => stop;

        public Task Task { get; set; } = Task.CompletedTask;

        /// <summary>Whether stopping it gives it up: its user wants so, and it is not the node that leaves.</summary>
        public volatile bool IsGivenUp;
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

using MedMerge.Experiments.Planning;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <summary>One sweep at work on this node: keeps at most so many trials going, and is paused, resumed and cancelled.</summary>
internal sealed partial class SweepRunner(
    SweepState ledger, SweepStore sweeps, StageStore stages, PlanCache plans, ClusterView cluster, IGrainFactory grains, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2), StatusWait = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, TrialStatus> _running = [];
    private CancellationTokenSource _stop = new();
    private Plan? _plan;
    private SweepProgress? _pace;
    private Task _task = Task.CompletedTask;

    /// <summary>Whether another process has changed the record: this run has stopped and must be loaded anew.</summary>
    public bool IsStale => ledger.IsStale;

    private WorkState State => ledger.State;

    /// <summary>Goes on where it should and does not.</summary>
    public void EnsureRunning()
    {
        lock (_gate)
        {
            if (State != WorkState.Running || !_task.IsCompleted || IsStale) return;
            var stop = _stop = new CancellationTokenSource();
            _task = Task.Run(() => DetachedContext.RunAsync(() => RunAsync(stop.Token)), CancellationToken.None);
        }
    }

    /// <summary>Pauses, resumes or cancels. A sweep that has ended stays as it is, but that resuming tries failed trials again.</summary>
    public async Task ChangeAsync(SweepAction action)
    {
        if (SweepTransitions.Next(State, action, ledger.Record.Trials.Any(trial => trial.HasFailed)) is not { } wanted) return;
        await ledger.WriteAsync(current => current.ChangedTo(wanted)).ConfigureAwait(false);
        if (wanted == WorkState.Running) await sweeps.MarkAsync(ledger.Id, CancellationToken.None).ConfigureAwait(false);
        else await StopAsync().ConfigureAwait(false);
        if (wanted == WorkState.Cancelled) await sweeps.UnmarkAsync(ledger.Id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Takes a stage off the list and runs its trials again.</summary>
    public async Task RepairAsync(string stage)
    {
        await StopAsync().ConfigureAwait(false);
        var plan = await LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        await stages.ForgetAsync(stage, CancellationToken.None).ConfigureAwait(false);
        await sweeps.MarkAsync(ledger.Id, CancellationToken.None).ConfigureAwait(false);
        await ledger.WriteAsync(current => current with
        {
            State = WorkState.Running,
            Trials = [.. current.Trials.Select((trial, i) => plan.Trials[i].Stages.Any(its => its.Key == stage) ? trial.Invalidated() : trial)],
        }).ConfigureAwait(false);
    }

    /// <summary>Stops asking for trials, so that they stop.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Where it is; waits for a change where the caller has knownVersion this version.</summary>
    public async Task<SweepStatus> StatusAsync(long knownVersion)
    {
        await ledger.WaitAsync(knownVersion, StatusWait).ConfigureAwait(false);
        if (_plan is null && State != WorkState.Failed) await LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        lock (_gate)
        {
            var lines = _plan is null ? [] : _plan.Trials.Select((trial, i) => Line(trial, ledger.Record.Trials.Count > i ? ledger.Record.Trials[i] : null)).ToList();
            return new SweepStatus(ledger.Id, ledger.Record.Name, State, ledger.Version, State == WorkState.Done ? 1 : _pace?.CompletedFraction ?? 0, _pace?.EstimatedRemaining?.TotalSeconds, lines, ledger.Record.Reason);
        }
    }

    private TrialSummary Line(Trial trial, TrialRecord? kept) => new(trial.Number, trial.Method.Title, trial.Seed,
        kept is null ? WorkState.Waiting : Shown(kept.State), kept?.Attempt ?? 0, _running.GetValueOrDefault(trial.Number)?.Progress, kept?.Reason);

    /// <summary>A trial that was under way when its sweep was paused or cancelled is so itself; the record keeps that it had begun.</summary>
    private WorkState Shown(WorkState trial) => trial == WorkState.Running && (State is WorkState.Paused or WorkState.Cancelled) ? State : trial;

    private async Task RunAsync(CancellationToken cancellation)
    {
        using var span = Spans.Start("sweep", Spans.Read(ledger.Record.Trace), new() { ["medmerge.sweep"] = ledger.Id });
        using var states = Instruments.Trials.Add(() => ledger.Record.Trials.GroupBy(trial => trial.State).Select(state => KeyValuePair.Create($"{state.Key}", state.Count())));
        try
        {
            await PlanAsync(cancellation).ConfigureAwait(false);
            await RunTrialsAsync(cancellation).ConfigureAwait(false);
            await ledger.WriteAsync(current => current.Completed()).ConfigureAwait(false);
            await sweeps.UnmarkAsync(ledger.Id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (InputException problem)
        {
            await ledger.WriteAsync(current => current.Failed(problem.Message)).ConfigureAwait(false);
            await sweeps.UnmarkAsync(ledger.Id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ConcurrentWriterException)
        {
            // whoever wakes the sweep next reads its record anew
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // paused, cancelled or leaving
        }
        catch (Exception error)
        {
            LogBroken(ledger.Id, FailureClass.Of(error).Reason); // the next wake-up goes on
        }
        finally
        {
            lock (_gate) _running.Clear();
            ledger.NotifyChanged();
        }
    }

    private async Task PlanAsync(CancellationToken cancellation)
    {
        var plan = await LoadPlanAsync(cancellation).ConfigureAwait(false);
        var pace = new SweepProgress(plan.Stages, time);
        foreach (var (trial, kept) in plan.Trials.Zip(ledger.Record.Trials))
            if (kept.State == WorkState.Done) pace.MarkCached(trial.Stages);
        lock (_gate) _pace = pace;
        if (ledger.Record.Trials.Count == 0)
            await ledger.WriteAsync(current => current with { Trials = [.. plan.Trials.Select(_ => TrialRecord.Waiting(trace: null))] }).ConfigureAwait(false);
        ledger.NotifyChanged();
    }

    private async Task<Plan> LoadPlanAsync(CancellationToken cancellation)
    {
        var plan = await plans.GetAsync(ledger.Record.Specification).WaitAsync(cancellation).ConfigureAwait(false);
        lock (_gate) return _plan ??= plan;
    }

    private async Task RunTrialsAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = new Queue<Trial>(_plan!.Trials.Where(trial => ledger.Trial(trial.Number).IsPending));
        var running = new List<Task>();
        var device = _plan.Specification.Settings.DeviceKind;
        try
        {
            while (waiting.Count + running.Count > 0)
            {
                var nodes = cluster.NodesWithDevice(device).Count;
                await SetWaitReasonAsync(nodes > 0 ? null : SiloChoice.NoneHas(device)).ConfigureAwait(false);
                var parallel = nodes > 0 ? _plan.Specification.Parallel ?? nodes : 0; // without a node trials wait: that is no failure of theirs
                while (running.Count < parallel && waiting.TryDequeue(out var trial)) running.Add(RunTrialAsync(trial, stop.Token));
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

    private async Task RunTrialAsync(Trial trial, CancellationToken cancellation)
    {
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["Trial"] = $"{ledger.Id}/{trial.Number}" });
        var run = new TrialSupervisor(trial, ledger, grains.GetGrain<ITrialGrain>($"{ledger.Id}/{trial.Number}"), cluster, status => OnStatus(trial, status), time, logger);
        try
        {
            await run.RunAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate) _running.Remove(trial.Number);
            ledger.NotifyChanged();
        }
    }

    private void OnStatus(Trial trial, TrialStatus status)
    {
        lock (_gate)
        {
            _running[trial.Number] = status;
            _pace!.OnStatus(status);
        }
        ledger.NotifyChanged();
    }

    /// <summary>Says what the sweep waits for; null for nothing.</summary>
    private Task SetWaitReasonAsync(string? reason) => ledger.Record.Reason == reason ? Task.CompletedTask : ledger.WriteAsync(current => current.WaitingFor(reason));

    [LoggerMessage(LogLevel.Error, "Sweep {Sweep} stopped: {Reason} It goes on when it is woken.")]
    private partial void LogBroken(string sweep, string reason);
}

using MedMerge.Experiments;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <summary>
/// One sweep at work on this node: keeps at most so many trials going, asks each until it ends, decides about failures, and writes every decision
/// to the store before it counts.
/// </summary>
internal sealed partial class SweepRun(
    string id, SweepRecord record, string etag, SweepStore sweeps, StageStore stages, Plans plans, ClusterView cluster, IGrainFactory grains, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200), Look = TimeSpan.FromSeconds(2), StopDeadline = TimeSpan.FromSeconds(5), StatusWait = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _write = new(1, 1);
    private readonly Dictionary<int, TrialStatus> _running = [];
    private CancellationTokenSource _stop = new();
    private SweepRecord _record = record;
    private string _etag = etag;
    private Plan? _plan;
    private SweepPace? _pace;
    private Task _task = Task.CompletedTask;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version;

    /// <summary>Whether another process has changed the record: this run has stopped and must be loaded anew.</summary>
    public bool IsOutpaced { get; private set; }

    private WorkState State => Enum.Parse<WorkState>(_record.State);

    /// <summary>Goes on where it should and does not.</summary>
    public void Go()
    {
        lock (_gate)
        {
            if (State != WorkState.Running || !_task.IsCompleted || IsOutpaced) return;
            var stop = _stop = new CancellationTokenSource();
            _task = Task.Run(() => Detached.RunAsync(() => RunAsync(stop.Token)), CancellationToken.None);
        }
    }

    /// <summary>Pauses, resumes or cancels. A sweep that has ended stays as it is, but that resuming tries failed trials again.</summary>
    public async Task ChangeAsync(WorkState wanted)
    {
        var failed = _record.Trials.Any(trial => HasFailed(trial.State));
        var allowed = (State, wanted) switch
        {
            (WorkState.Running, WorkState.Paused or WorkState.Cancelled) => true,
            (WorkState.Paused, WorkState.Running or WorkState.Cancelled) => true,
            (WorkState.Cancelled, WorkState.Running) => true,
            (WorkState.Done or WorkState.Failed, WorkState.Running) => failed || State == WorkState.Failed,
            _ => false,
        };
        if (!allowed) return;
        await WriteAsync(current => current with
        {
            State = wanted.ToString(),
            Reason = null,
            Trials = wanted == WorkState.Running ? [.. current.Trials.Select(trial => HasFailed(trial.State) ? trial with { State = nameof(WorkState.Waiting), NodeDeaths = 0, Reason = null } : trial)] : current.Trials,
        }).ConfigureAwait(false);
        if (wanted == WorkState.Running) await sweeps.MarkAsync(id, CancellationToken.None).ConfigureAwait(false);
        else await StopAsync().ConfigureAwait(false);
        if (wanted == WorkState.Cancelled) await sweeps.UnmarkAsync(id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Takes a stage off the list and runs its trials again.</summary>
    public async Task RepairAsync(string stage)
    {
        await StopAsync().ConfigureAwait(false);
        var plan = await LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        await stages.ForgetAsync(stage, CancellationToken.None).ConfigureAwait(false);
        await sweeps.MarkAsync(id, CancellationToken.None).ConfigureAwait(false);
        await WriteAsync(current => current with
        {
            State = nameof(WorkState.Running),
            Trials = [.. current.Trials.Select((trial, i) => plan.Trials[i].Stages.Any(its => its.Key == stage) ? trial with { State = nameof(WorkState.Waiting) } : trial)],
        }).ConfigureAwait(false);
    }

    /// <summary>Stops asking for trials, so that they stop.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Where it is; waits for a change where the caller has seen this version.</summary>
    public async Task<SweepStatus> StatusAsync(long seen)
    {
        Task changed;
        lock (_gate) changed = seen == _version ? _changed.Task : Task.CompletedTask;
        await Task.WhenAny(changed, Task.Delay(StatusWait, time)).ConfigureAwait(false);
        if (_plan is null && State != WorkState.Failed) await LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        lock (_gate)
        {
            var lines = _plan is null ? [] : _plan.Trials.Select((trial, i) => Line(trial, _record.Trials.Count > i ? _record.Trials[i] : null)).ToList();
            return new SweepStatus(id, _record.Name, State, _version, State == WorkState.Done ? 1 : _pace?.Share ?? 0, _pace?.Left?.TotalSeconds, lines, _record.Reason);
        }
    }

    private static bool HasFailed(string state) => state is nameof(WorkState.Failed) or nameof(WorkState.Quarantined);

    private TrialLine Line(Trial trial, TrialRecord? kept) => new(trial.Number, trial.Method.Title, trial.Seed,
        kept is null ? WorkState.Waiting : Shown(Enum.Parse<WorkState>(kept.State)), kept?.Attempt ?? 0, _running.GetValueOrDefault(trial.Number)?.Progress, kept?.Reason);

    /// <summary>A trial that was under way when its sweep was paused or cancelled is so itself; the record keeps that it had begun.</summary>
    private WorkState Shown(WorkState trial) => trial == WorkState.Running && (State is WorkState.Paused or WorkState.Cancelled) ? State : trial;

    private async Task RunAsync(CancellationToken cancellation)
    {
        using var span = Spans.Start("sweep", Spans.Read(_record.Trace), new() { ["medmerge.sweep"] = id });
        using var states = Instruments.Trials.Add(() => _record.Trials.GroupBy(trial => trial.State).Select(state => KeyValuePair.Create(state.Key, state.Count())));
        try
        {
            await PlanAsync(cancellation).ConfigureAwait(false);
            await RunTrialsAsync(cancellation).ConfigureAwait(false);
            await WriteAsync(current => current with { State = nameof(WorkState.Done), Reason = null }).ConfigureAwait(false);
            await sweeps.UnmarkAsync(id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (InputException problem)
        {
            await WriteAsync(current => current with { State = nameof(WorkState.Failed), Reason = problem.Message }).ConfigureAwait(false);
            await sweeps.UnmarkAsync(id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (OutpacedException)
        {
            IsOutpaced = true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // paused, cancelled or leaving
        }
        catch (Exception error)
        {
            LogBroken(id, error); // the next wake-up goes on
        }
        finally
        {
            lock (_gate) _running.Clear();
            Changed();
        }
    }

    private async Task PlanAsync(CancellationToken cancellation)
    {
        var plan = await LoadPlanAsync(cancellation).ConfigureAwait(false);
        var pace = new SweepPace(plan.Stages, time);
        foreach (var (trial, kept) in plan.Trials.Zip(_record.Trials))
            if (kept.State == nameof(WorkState.Done)) pace.Kept(trial.Stages);
        lock (_gate) _pace = pace;
        if (_record.Trials.Count == 0)
            await WriteAsync(current => current with { Trials = [.. plan.Trials.Select(_ => new TrialRecord(nameof(WorkState.Waiting), 0, 0, [], null))] }).ConfigureAwait(false);
        Changed();
    }

    private async Task<Plan> LoadPlanAsync(CancellationToken cancellation)
    {
        var plan = await plans.GetAsync(_record.Specification).WaitAsync(cancellation).ConfigureAwait(false);
        lock (_gate) return _plan ??= plan;
    }

    private async Task RunTrialsAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = new Queue<int>(_plan!.Trials.Select(trial => trial.Number).Where(number => _record.Trials[number - 1].State is nameof(WorkState.Waiting) or nameof(WorkState.Running)));
        var running = new List<Task>();
        var device = Plan.Kind(_plan.Specification.Device);
        try
        {
            while (waiting.Count + running.Count > 0)
            {
                var nodes = cluster.With(device).Count;
                await TellAsync(nodes > 0 ? null : SiloChoice.NoneHas(device)).ConfigureAwait(false);
                var parallel = nodes > 0 ? _plan.Specification.Parallel ?? nodes : 0; // without a node trials wait: that is no failure of theirs
                while (running.Count < parallel && waiting.TryDequeue(out var number)) running.Add(RunTrialAsync(number, stop.Token));
                await Task.WhenAny([.. running, Task.Delay(Look, time, stop.Token)]).ConfigureAwait(false);
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

    private async Task RunTrialAsync(int number, CancellationToken cancellation)
    {
        // A trial that was under way when its sweep's node died goes on with the attempt it was at; one that is run again begins another.
        var before = _record.Trials[number - 1];
        var attempt = before.State == nameof(WorkState.Running) ? Math.Max(1, before.Attempt) : before.Attempt + 1;
        var trace = before.Trace ?? TrialTrace.Begin(id, _plan!.Trials[number - 1]);
        await WriteTrialAsync(number, trial => trial with { State = nameof(WorkState.Running), Attempt = attempt, Trace = trace }).ConfigureAwait(false);
        var grain = grains.GetGrain<ITrialGrain>($"{id}/{number}");
        try
        {
            for (var tries = 1; ; tries++)
            {
                var (failure, quarantined) = await AskAsync(grain, number, attempt, cancellation).ConfigureAwait(false);
                if (failure is null)
                {
                    await WriteTrialAsync(number, trial => trial with { State = nameof(WorkState.Done), Nodes = [], Reason = null }).ConfigureAwait(false);
                    return;
                }
                if (failure.Kind == FailureKind.NodeBad && !quarantined)
                {
                    // A node that leaves because its device failed under a trial counts as one that died under it.
                    await WriteTrialAsync(number, trial => trial with { NodeDeaths = trial.NodeDeaths + 1 }).ConfigureAwait(false);
                    quarantined = _record.Trials[number - 1].NodeDeaths >= RetryPolicy.MaxNodeDeaths;
                }
                if (quarantined || RetryPolicy.After(failure, tries) is not { } back)
                {
                    LogFailed(number, id, failure.Reason);
                    await WriteTrialAsync(number, trial => trial with { State = quarantined ? nameof(WorkState.Quarantined) : nameof(WorkState.Failed), Nodes = [], Reason = failure.Reason }).ConfigureAwait(false);
                    return;
                }
                LogAgain(number, id, attempt, back, failure.Reason);
                await Task.Delay(back, time, cancellation).ConfigureAwait(false);
                attempt++;
                await WriteTrialAsync(number, trial => trial with { Attempt = attempt, Reason = failure.Reason }).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await StopTrialAsync(grain).ConfigureAwait(false);
            throw;
        }
        finally
        {
            lock (_gate) _running.Remove(number);
            Changed();
        }
    }

    /// <summary>Asks a trial until its attempt has ended.</summary>
    /// <returns>Why it failed, or null where it has a result.</returns>
    private async Task<(Failure? Failure, bool Quarantined)> AskAsync(ITrialGrain grain, int number, int attempt, CancellationToken cancellation)
    {
        var trace = _record.Trials[number - 1].Trace;
        using var span = Spans.Start($"attempt {attempt}", Spans.Read(trace), new() { ["medmerge.trial"] = number });
        var request = new TrialRequest(_record.Specification, number, attempt, trace);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var nodes = _record.Trials[number - 1].Nodes;
            if (nodes.Where(cluster.IsDead).ToList() is { Count: > 0 } dead)
            {
                // Nodes that die together count once: that is the power or the network, not the trial.
                LogNodesDied(dead.Count, number, id);
                await WriteTrialAsync(number, trial => trial with { NodeDeaths = trial.NodeDeaths + 1, Nodes = [.. trial.Nodes.Except(dead)] }).ConfigureAwait(false);
                if (_record.Trials[number - 1].NodeDeaths >= RetryPolicy.MaxNodeDeaths)
                {
                    await StopTrialAsync(grain).ConfigureAwait(false);
                    return (new Failure(FailureKind.NodeBad, $"{_record.Trials[number - 1].NodeDeaths} times nodes died while they were at work for this trial; it is left out. Resuming the sweep tries it again."), true);
                }
            }
            try
            {
                var status = await grain.RunAsync(request).ConfigureAwait(false);
                lock (_gate)
                {
                    _running[number] = status;
                    _pace!.Heard(status);
                }
                Changed();
                if (status.State == WorkState.Done) return (null, false);
                if (status.Failure is { } failure)
                {
                    span.Fail(failure.Reason);
                    return (failure, false);
                }
                if (!status.Nodes.ToHashSet().SetEquals(_record.Trials[number - 1].Nodes))
                    await WriteTrialAsync(number, trial => trial with { Nodes = [.. status.Nodes, .. trial.Nodes.Except(status.Nodes).Where(cluster.IsDead)] }).ConfigureAwait(false);
                if (status.State == WorkState.Waiting) await Task.Delay(Pause, time, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (FailureClass.IsNodeGone(error))
            {
                await Task.Delay(Pause, time, cancellation).ConfigureAwait(false); // the next call finds the grain elsewhere, once the cluster has noticed
            }
        }
    }

    private async Task StopTrialAsync(ITrialGrain grain)
    {
        try
        {
            await grain.StopAsync().WaitAsync(StopDeadline, time).ConfigureAwait(false);
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            // Nobody asks for it any more: its lease runs out by itself.
        }
    }

    private Task WriteTrialAsync(int number, Func<TrialRecord, TrialRecord> change) =>
        WriteAsync(current => current with { Trials = [.. current.Trials.Select((trial, i) => i == number - 1 ? change(trial) : trial)] });

    /// <summary>Says what the sweep waits for; null for nothing.</summary>
    private Task TellAsync(string? reason) => _record.Reason == reason ? Task.CompletedTask : WriteAsync(current => current with { Reason = reason });

    private async Task WriteAsync(Func<SweepRecord, SweepRecord> change)
    {
        await _write.WaitAsync().ConfigureAwait(false);
        try
        {
            var next = change(_record);
            var written = await sweeps.TryReplaceAsync(id, next, _etag, CancellationToken.None).ConfigureAwait(false);
            if (written is null)
            {
                IsOutpaced = true;
                throw new OutpacedException($"Another process has changed sweep '{id}'.");
            }
            lock (_gate) (_record, _etag) = (next, written);
        }
        finally
        {
            _write.Release();
        }
        Changed();
    }

    private void Changed()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _version++;
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        changed.TrySetResult();
    }

    [LoggerMessage(LogLevel.Warning, "Trial {Number} of sweep {Sweep} failed: {Reason}")]
    private partial void LogFailed(int number, string sweep, string reason);

    [LoggerMessage(LogLevel.Warning, "Trial {Number} of sweep {Sweep}, attempt {Attempt}, is tried again in {Back}: {Reason}")]
    private partial void LogAgain(int number, string sweep, int attempt, TimeSpan back, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} nodes at work for trial {Number} of sweep {Sweep} died.")]
    private partial void LogNodesDied(int count, int number, string sweep);

    [LoggerMessage(LogLevel.Error, "Sweep {Sweep} stopped; it goes on when it is woken.")]
    private partial void LogBroken(string sweep, Exception error);
}

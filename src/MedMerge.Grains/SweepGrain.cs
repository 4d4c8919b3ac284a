using MedMerge.Grains.Nodes;
using MedMerge.Grains.Running;
using MedMerge.Storage;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <inheritdoc cref="ISweepGrain" />
internal sealed partial class SweepGrain(
    SweepStore sweeps,
    StageStore stages,
    PlanCache plans,
    PlanSummaries summaries,
    ClusterView cluster,
    LaneShares shares,
    SweepOwner owner,
    TimeProvider time,
    ILogger<SweepGrain> logger)
    : Grain, ISweepGrain
{
    private readonly SemaphoreSlim _turn = new(1, 1); // starting and stopping, one at a time
    private readonly SweepOwnership _ownership = new(owner, time);
    private SweepController? _controller;

    private string Id => this.GetPrimaryKeyString();

    /// <inheritdoc />
    public async Task StartAsync(StartSweep start)
    {
        var found = await sweeps.FindAsync(Id, CancellationToken.None);
        if (found is null)
        {
            var inputs = (await plans.FilesAsync(start.Specification)).ToList();
            var trace = Spans.Write(Spans.Current);
            var record = SweepRecord.Start(start.Name, start.Specification, start.Plan, inputs, start.Traces, time.GetUtcNow(), trace);
            await sweeps.TryCreateAsync(Id, record with { Submitter = CallUser.Current }, CancellationToken.None);
        }
        else if (found.Value.Record.Specification != start.Specification)
        {
            throw new ArgumentException($"The sweep '{Id}' exists and runs another specification.", nameof(start));
        }
        else
        {
            await ChangeAsync(sweep => sweep.ReplanAsync(start.Plan));
        }
        await WakeAsync();
    }

    /// <inheritdoc />
    public Task WakeAsync() => ChangeAsync(sweep => sweep.RemoveMarkWhereEndedAsync());

    /// <inheritdoc />
    public Task<SweepStatus> PauseAsync() => ApplyAsync(sweep => sweep.ChangeAsync(SweepAction.Pause, By("pause")));

    /// <inheritdoc />
    public Task<SweepStatus> ResumeAsync() => ApplyAsync(sweep => sweep.ChangeAsync(SweepAction.Resume, By("resume")));

    /// <inheritdoc />
    public async Task<SweepStatus> CancelAsync()
    {
        try
        {
            return await ApplyAsync(sweep => sweep.ChangeAsync(SweepAction.Cancel, By("cancel")));
        }
        catch (InvalidDataException damaged) when (_controller is null)
        {
            LogDamaged(damaged, Id);
            await sweeps.UnmarkAsync(Id, CancellationToken.None); // nodes need not try to wake it any more
            return SweepStatus.Damaged(Id, damaged.Message);
        }
    }

    /// <inheritdoc />
    public Task<SweepStatus> RetryAsync(TrialChoice trials) => ApplyAsync(sweep => sweep.RetryAsync(trials, By("retry")));

    /// <inheritdoc />
    public Task<SweepStatus> SkipAsync(int number) => ApplyAsync(sweep => sweep.SkipAsync(number, By($"skip {number}")));

    /// <inheritdoc />
    public Task<SweepStatus> LimitAsync(SweepLimits limits) => ApplyAsync(sweep => sweep.LimitAsync(limits, By("change")));

    /// <inheritdoc />
    public async Task<SweepStatus> ExtendAsync(StartSweep extended)
    {
        var inputs = (await plans.FilesAsync(extended.Specification)).ToList();
        return await ApplyAsync(sweep => sweep.ExtendAsync(extended, inputs, By("extend")));
    }

    /// <inheritdoc />
    public async Task<TrialPage> TrialsAsync(TrialQuery query)
    {
        var sweep = _controller ?? await LoadAsync();
        return await sweep.TrialsAsync(query);
    }

    /// <inheritdoc />
    public Task<SweepStatus> RepairAsync(string stage) => ApplyAsync(sweep => sweep.RepairAsync(stage));

    /// <inheritdoc />
    public async Task<SweepStatus> StatusAsync(long knownVersion)
    {
        var sweep = _controller ?? await LoadAsync();
        return await sweep.StatusAsync(knownVersion);
    }

    /// <inheritdoc />
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_controller is not { } sweep) return;
        var left = sweep.LeaveAsync().WaitAsync(cancellationToken);
        await left.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private SteeringAction? By(string action) =>
        CallUser.Current is { } user ? new SteeringAction(time.GetUtcNow(), user, action) : null;

    private async Task<SweepStatus> ApplyAsync(Func<SweepController, Task> change)
    {
        var sweep = await ChangeAsync(change);
        return await sweep.StatusAsync(SweepStatus.NoVersion);
    }

    private async Task<SweepController> ChangeAsync(Func<SweepController, Task> change)
    {
        await _turn.WaitAsync();
        try
        {
            var sweep = _controller ?? await LoadAsync();
            if (!await sweep.IsCurrentAsync())
            {
                LogStale(Id);
                await sweep.AbandonAsync();
                _controller = null;
                sweep = await LoadAsync();
            }
            await change(sweep);
            await sweep.EnsureRunningAsync();
            return sweep;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<SweepController> LoadAsync()
    {
        var found = await sweeps.FindAsync(Id, CancellationToken.None) ?? throw new KeyNotFoundException($"There is no sweep '{Id}'.");
        return _controller ??= Create(new SweepState(Id, found.Record, found.ETag, sweeps, time));
    }

    private SweepController Create(SweepState sweep)
    {
        var activity = new SweepActivity(time);
        var runner = new SweepRunner(sweep, activity, sweeps, summaries, stages, cluster, shares, GrainFactory, time, logger);
        return new SweepController(sweep, activity, runner, _ownership, sweeps, stages);
    }

    [LoggerMessage(LogLevel.Warning, "The record of sweep {Sweep} can't be read; the sweep is no longer active.")]
    private partial void LogDamaged(Exception error, string sweep);

    [LoggerMessage(LogLevel.Warning, "Another process has changed the record of sweep {Sweep}; it is loaded again.")]
    private partial void LogStale(string sweep);
}

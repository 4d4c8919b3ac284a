using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <inheritdoc cref="ISweepGrain" />
internal sealed partial class SweepGrain(SweepStore sweeps, StageStore stages, PlanCache plans, ClusterView cluster, TimeProvider time, ILogger<SweepGrain> logger) : Grain, ISweepGrain
{
    private readonly SemaphoreSlim _turn = new(1, 1); // starting and stopping, one at a time
    private SweepRunner? _run;

    private string Id => this.GetPrimaryKeyString();

    /// <inheritdoc />
    public async Task StartAsync(StartSweep start)
    {
        var found = await sweeps.FindAsync(Id, CancellationToken.None);
        if (found is null)
        {
            var inputs = (await plans.FilesAsync(start.Specification)).ToList();
            var record = SweepRecord.Start(start.Name, start.Specification, start.Plan, inputs, start.Traces, time.GetUtcNow(), Spans.Write(Spans.Current));
            await sweeps.TryCreateAsync(Id, record, CancellationToken.None);
        }
        else if (found.Value.Record.Specification != start.Specification)
        {
            throw new ArgumentException($"The sweep '{Id}' exists and runs another specification.", nameof(start));
        }
        await WakeAsync();
    }

    /// <inheritdoc />
    public Task WakeAsync() => WithRunAsync(_ => Task.CompletedTask);

    /// <inheritdoc />
    public Task<SweepStatus> PauseAsync() => WithRunAsync(run => run.ChangeAsync(SweepAction.Pause));

    /// <inheritdoc />
    public Task<SweepStatus> ResumeAsync() => WithRunAsync(run => run.ChangeAsync(SweepAction.Resume));

    /// <inheritdoc />
    public Task<SweepStatus> CancelAsync() => WithRunAsync(run => run.ChangeAsync(SweepAction.Cancel));

    /// <inheritdoc />
    public Task<SweepStatus> RepairAsync(string stage) => WithRunAsync(run => run.RepairAsync(stage));

    /// <inheritdoc />
    public async Task<SweepStatus> StatusAsync(long knownVersion)
    {
        var run = _run ?? await LoadAsync();
        return await run.StatusAsync(knownVersion);
    }

    /// <inheritdoc />
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_run is { } run) await run.StopAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private async Task<SweepStatus> WithRunAsync(Func<SweepRunner, Task> change)
    {
        await _turn.WaitAsync();
        try
        {
            var run = _run ?? await LoadAsync();
            if (run.IsStale)
            {
                LogOutpaced(Id);
                await run.StopAsync();
                _run = null;
                run = await LoadAsync();
            }
            await change(run);
            run.EnsureRunning();
            return await run.StatusAsync(-1);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<SweepRunner> LoadAsync()
    {
        var found = await sweeps.FindAsync(Id, CancellationToken.None) ?? throw new KeyNotFoundException($"There is no sweep '{Id}'.");
        return _run ??= new SweepRunner(new SweepState(Id, found.Record, found.ETag, sweeps, time), sweeps, stages, plans, cluster, GrainFactory, time, logger);
    }

    [LoggerMessage(LogLevel.Warning, "The record of sweep {Sweep} was changed by another process; it is read again.")]
    private partial void LogOutpaced(string sweep);
}

using System.Diagnostics;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <summary>What the grains of stages have in common: held work, progress, telemetry, leaving.</summary>
internal abstract partial class StageGrainBase(ILocalSiloDetails silo, PlanCache plans, DeviceHealth deviceHealth, TimeProvider time, ILogger logger) : Grain, IStageExecution
{
    private readonly LeasedWork _work = new(time);
    private volatile StageProgress? _progress;

    protected PlanCache Plans => plans;

    /// <summary>This silo, as messages name it.</summary>
    protected string Node { get; } = silo.SiloAddress.ToParsableString();

    /// <summary>All silos at work for the stage.</summary>
    protected virtual IReadOnlyList<string> Nodes => [Node];

    /// <summary>The stage's span, parent of all that belongs to it.</summary>
    protected ActivityContext Span { get; private set; }

    /// <inheritdoc />
    public async Task<StageStatus> RunAsync(StageRequest request)
    {
        var key = this.GetPrimaryKeyString().Split('/')[1]; // known to the grain's own turns alone
        var state = await _work.RenewAsync(request.Holder, request.Attempt, cancellation => RunAsync(key, request, cancellation));
        if (state is WorkState.Done) DeactivateOnIdle(); // the store has it; should it be lost there, the next to ask has it computed again
        return new StageStatus(state, state == WorkState.Running ? Nodes : [], _progress, state == WorkState.Failed ? _work.Failure : null);
    }

    /// <inheritdoc />
    public Task ReleaseAsync(string holder)
    {
        _work.Release(holder);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _work.CloseAsync(cancellationToken);

    /// <summary>Puts the stage's output into the store.</summary>
    protected abstract Task ComputeAsync(StageRequest request, Plan plan, Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation);

    private async Task RunAsync(string key, StageRequest request, CancellationToken cancellation)
    {
        var (plan, stage) = await plans.StageAsync(request.Specification, request.Trial, key);
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["Trial"] = request.Holder, ["Stage"] = stage.Name });
        _progress = new StageProgress(stage.Name, null, 0, null, null, Node, key);
        var start = Stopwatch.GetTimestamp();
        var outcome = "done";
        Span = Spans.Read(request.Trace);
        using (var begins = Spans.Start(stage.Name, Span, new() { ["medmerge.stage.key"] = key, ["medmerge.attempt"] = request.Attempt }))
        {
            if (begins is not null) Span = begins.Context;
            LogBegins(stage.Name, request.Holder, request.Attempt); // inside, so that a dashboard leads from the line to the trace
        }
        try
        {
            await ComputeAsync(request, plan, stage, (epoch, epochs) => _progress = new StageProgress(
                stage.Name, epoch.Epoch, epochs, double.IsNaN(epoch.Loss) ? null : epoch.Loss, epoch.Validation.MacroF1, Node, key), cancellation);
            using var done = Spans.Start($"{stage.Name} done", Span);
            LogDone(stage.Name, request.Holder, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        catch (ConcurrentWriterException)
        {
            outcome = "stopped"; // another process is at it
            throw;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            outcome = "stopped";
            LogStops(stage.Name, request.Holder, _progress is { Epoch: { } epoch, Epochs: var of } ? $" after epoch {epoch} of {of}; the next to be asked goes on from its checkpoint" : "; the next to be asked computes it");
            throw;
        }
        catch (Exception error)
        {
            outcome = "failed";
            var failure = FailureClass.Of(error);
            if (error is not WorkFailedException) deviceHealth.ReportFailure(failure);
            using var failed = Spans.Start($"{stage.Name} failed", Span);
            failed.Fail(failure.Reason);
            LogFailed(stage.Name, request.Holder, failure.Reason);
            throw;
        }
        finally
        {
            Instruments.StageDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, Instruments.StageTag(stage.Name), KeyValuePair.Create<string, object?>("outcome", outcome));
        }
    }

    [LoggerMessage(LogLevel.Information, "The stage '{Name}' of trial {Number} begins, attempt {Attempt}.")]
    private partial void LogBegins(string name, string number, int attempt);

    [LoggerMessage(LogLevel.Information, "The stage '{Name}' of trial {Number} stops here{How}.")]
    private partial void LogStops(string name, string number, string how);

    [LoggerMessage(LogLevel.Warning, "The stage '{Name}' of trial {Number} failed: {Reason}")]
    private partial void LogFailed(string name, string number, string reason);

    [LoggerMessage(LogLevel.Information, "The stage '{Name}' of trial {Number} is done after {Seconds:0.0} s.")]
    private partial void LogDone(string name, string number, double seconds);
}

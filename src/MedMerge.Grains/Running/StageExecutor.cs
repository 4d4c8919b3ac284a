using System.Diagnostics;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Running;

/// <summary>Executes stages on this node, with span, metrics and log; failures are reported once, here.</summary>
internal sealed partial class StageExecutor(
    ILocalSiloDetails silo,
    PlanCache plans,
    StageStore store,
    OutputCache outputs,
    Devices devices,
    NodeLoad load,
    IOptions<NodeOptions> options,
    TimeProvider time,
    ShardedStageRunner sharded,
    FailureReporter failures,
    ILogger<StageExecutor> logger)
{
    /// <summary>This silo, as messages name it.</summary>
    public string Node { get; } = silo.SiloAddress.ToParsableString();

    /// <summary>Returns when the stage's output is in the store.</summary>
    /// <exception cref="WorkFailedException">It failed, and the failure was reported.</exception>
    public async Task RunAsync(StageExecution execution, CancellationToken cancellation)
    {
        var (trial, stage) = await FindAsync(execution.Request, execution.Key).ConfigureAwait(false);
        var names = new Dictionary<string, object> { ["Trial"] = execution.Request.Holder, ["Stage"] = stage.Name };
        using var scope = logger.BeginScope(names);
        var threads = trial.Scenario.Settings.Threads;
        using var turn = stage.HasCoordinator ? null : await AdmitAsync(stage, threads, cancellation).ConfigureAwait(false);
        var start = Stopwatch.GetTimestamp();
        var outcome = "failed";
        Start(execution, stage);
        try
        {
            await ComputeAsync(execution, trial, stage, cancellation).ConfigureAwait(false);
            outcome = "done";
            using var done = Spans.Start($"{stage.Name} done", execution.Span);
            LogDone(stage.Name, execution.Request.Holder, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        catch (ConcurrentWriterException)
        {
            outcome = "stopped"; // another process runs the stage
            throw;
        }
        catch (OperationCanceledException stopped) when (cancellation.IsCancellationRequested)
        {
            outcome = "stopped";
            LogStopped(execution, stage.Name);
            if (stopped.InnerException is { } error and not OperationCanceledException)
                LogCheckpointLost(error, stage.Name, execution.Request.Holder);
            throw;
        }
        catch (Exception error)
        {
            using var failed = Spans.Start($"{stage.Name} failed", execution.Span);
            var request = execution.Request;
            var failure = failures.Report(error, $"Stage '{stage.Name}' of trial {request.Holder}, attempt {request.Attempt},");
            if (load.CountExcluding(stage.Key) > 0) failure = FailureClass.BesideOtherWork(failure, error);
            failed.Fail(failure.Reason);
            throw new WorkFailedException(failure);
        }
        finally
        {
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var outcomeTag = KeyValuePair.Create<string, object?>("outcome", outcome);
            Instruments.StageDuration.Record(seconds, Instruments.StageTag(stage.Name), outcomeTag);
        }
    }

    private async Task<(Trial Trial, Stage Stage)> FindAsync(StageRequest request, string key)
    {
        try
        {
            return await plans.StageAsync(request.Specification, request.Trial, key).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            throw new WorkFailedException(failures.Report(error, $"The plan of trial {request.Holder}"));
        }
    }

    private void Start(StageExecution execution, Stage stage)
    {
        var request = execution.Request;
        execution.Start(stage);
        execution.Span = Spans.Read(request.Trace);
        var tags = new ActivityTagsCollection { ["medmerge.stage.key"] = stage.Key, ["medmerge.attempt"] = request.Attempt };
        using var begun = Spans.Start(stage.Name, execution.Span, tags);
        if (begun is not null) execution.Span = begun.Context;
        LogBegun(stage.Name, request.Holder, request.Attempt); // inside the span, so that a dashboard leads from the line to the trace
    }

    private async Task<IDisposable> AdmitAsync(Stage stage, int threads, CancellationToken cancellation)
    {
        var memory = await devices.Borrow(threads).RunAsync(stage.EstimateMemory, cancellation).ConfigureAwait(false);
        return await load.AdmitAsync(stage.Key, threads, memory, cancellation).ConfigureAwait(false);
    }

    private async Task ComputeAsync(StageExecution execution, Trial trial, Stage stage, CancellationToken cancellation)
    {
        if (stage.HasCoordinator)
        {
            await sharded.RunAsync(execution, trial, stage, warning => Warn(stage.Name, warning), cancellation).ConfigureAwait(false);
            return;
        }
        var view = new StageView(stage.Key, store, outputs);
        var interval = new CheckpointInterval(time, options.Value.CheckpointInterval);
        using var lane = devices.Take(trial.Scenario.Settings.Threads);
        var runner = new StageRunner(view, lane.Thread, plans.FileAsync, interval, Warn);
        var output = await runner.OutputAsync(stage, execution.OnEpoch, cancellation, execution.Span).ConfigureAwait(false);
        execution.Timing = output.Timing;

        void Warn(string name, string warning) => LogWarning(name, execution.Request.Holder, warning);
    }

    private void LogStopped(StageExecution execution, string name)
    {
        if (execution.Progress is { Epoch: { } epoch, Epochs: var epochs })
            LogStoppedAfterEpoch(name, execution.Request.Holder, epoch, epochs);
        else LogStoppedEarly(name, execution.Request.Holder);
    }

    [LoggerMessage(LogLevel.Information, "Stage '{Stage}' of trial {Trial} begins, attempt {Attempt}.")]
    private partial void LogBegun(string stage, string trial, int attempt);

    [LoggerMessage(LogLevel.Information, "Stage '{Stage}' of trial {Trial} stopped after epoch {Epoch} of {Epochs}.")]
    private partial void LogStoppedAfterEpoch(string stage, string trial, int epoch, int epochs);

    [LoggerMessage(LogLevel.Information, "Stage '{Stage}' of trial {Trial} stopped before the end of its first epoch.")]
    private partial void LogStoppedEarly(string stage, string trial);

    [LoggerMessage(LogLevel.Warning, "Stage '{Stage}' of trial {Trial} could not save its last step; the checkpoint before stands.")]
    private partial void LogCheckpointLost(Exception error, string stage, string trial);

    [LoggerMessage(LogLevel.Warning, "Stage '{Stage}' of trial {Trial}: {Warning}")]
    private partial void LogWarning(string stage, string trial, string warning);

    [LoggerMessage(LogLevel.Information, "Stage '{Stage}' of trial {Trial} is done after {Seconds:0.0} s.")]
    private partial void LogDone(string stage, string trial, double seconds);
}

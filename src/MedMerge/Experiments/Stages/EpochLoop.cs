using MedMerge.Telemetry;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// Runs epochs for any training stage, with a span and metrics for each, and a checkpoint where one is due. If it is
/// cancelled, because its node shuts down or the sweep pauses, it saves a checkpoint of the last step.
/// </summary>
/// <param name="stage">The stage's name.</param>
internal sealed class EpochLoop(string stage, StageContext context)
{
    /// <summary>Time to save the last step; a node has half a minute to shut down.</summary>
    private static readonly TimeSpan SaveTimeout = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = context.CheckpointInterval.Time;
    private long _lastSave = context.CheckpointInterval.Time.GetTimestamp();

    /// <summary>Whether there are checkpoints at all; without them an interrupted stage begins anew.</summary>
    public bool KeepsCheckpoints { get; init; } = true;

    private bool IsCheckpointDue => _time.GetElapsedTime(_lastSave) >= context.CheckpointInterval.Duration;

    /// <summary>Runs one epoch.</summary>
    /// <param name="run">Runs the epoch.</param>
    /// <param name="getState">Gets the state where it is saved, also after <paramref name="run"/> was cancelled.</param>
    /// <param name="count">Total number of epochs.</param>
    public async Task RunAsync(
        Func<Task<EpochRecord>> run,
        Func<Task<byte[]>> getState,
        int count,
        CancellationToken cancellation)
    {
        using var span = Spans.Start($"{stage} epoch", context.Span);
        EpochRecord? epoch = null;
        try
        {
            epoch = await run().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            span?.SetTag("cancelled", true); // not an error: the epoch resumes elsewhere or later
        }
        var isSaved = epoch is null || IsCheckpointDue;
        if (isSaved) await SaveAsync(getState, cancellation).ConfigureAwait(false);
        if (epoch is null) throw new OperationCanceledException(cancellation);

        if (span is not null) span.DisplayName = $"{stage} epoch {epoch.Epoch}";
        span?.SetTag("epoch", epoch.Epoch);
        span?.SetTag("loss", epoch.Loss);
        span?.SetTag("macro_f1", epoch.Validation.MacroF1);
        Instruments.EpochDone(stage, epoch.Loss, epoch.Entropy);
        context.OnEpoch(epoch, count);
        // Cancelled since: no epoch may follow that would save it.
        if (cancellation.IsCancellationRequested && !isSaved) await SaveAsync(getState, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Saves a checkpoint. On cancellation it allows a short grace period; if that is too short, the previous checkpoint remains.
    /// </summary>
    private async Task SaveAsync(Func<Task<byte[]>> getState, CancellationToken cancellation)
    {
        if (!KeepsCheckpoints) return;
        var state = await getState().ConfigureAwait(false);
        using var deadline = new CancellationTokenSource();
        using var registration = cancellation.Register(() => deadline.CancelAfter(SaveTimeout));
        try
        {
            await context.Checkpoints.SaveAsync(state, deadline.Token).ConfigureAwait(false);
            _lastSave = _time.GetTimestamp();
            LargeGarbage.Collect();
        }
        catch (Exception error) when (cancellation.IsCancellationRequested && error is not ConcurrentWriterException)
        {
            throw new OperationCanceledException($"The last step could not be saved: {error.Message}", error, cancellation);
        }
    }
}

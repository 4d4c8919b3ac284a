using MedMerge.Telemetry;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// What every training does around an epoch: a span and the epoch's figures, and a checkpoint after it. Where it is cancelled, for its node leaves or the sweep pauses, it
/// leaves a checkpoint of the step it had reached.
/// </summary>
/// <param name="stage">The stage's name.</param>
internal sealed class EpochLoop(string stage, StageContext context)
{
    /// <summary>A node that leaves has half a minute for everything.</summary>
    private static readonly TimeSpan HandOverDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Runs one epoch.</summary>
    /// <param name="run">Runs it.</param>
    /// <param name="save">Gives the state to keep, also where <paramref name="run"/> was cancelled.</param>
    /// <param name="count">How many epochs there will be.</param>
    public async Task RunAsync(Func<Task<EpochRecord>> run, Func<Task<byte[]>> save, int count, CancellationToken cancellation)
    {
        using var span = Spans.Start($"{stage} epoch", context.Span);
        EpochRecord? epoch = null;
        try
        {
            epoch = await run().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            span?.SetTag("cancelled", true); // no error: it goes on elsewhere, or later
        }
        await KeepAsync(await save().ConfigureAwait(false), cancellation).ConfigureAwait(false);
        if (epoch is null) throw new OperationCanceledException(cancellation);

        if (span is not null) span.DisplayName = $"{stage} epoch {epoch.Epoch}";
        span?.SetTag("epoch", epoch.Epoch).SetTag("loss", epoch.Loss).SetTag("macro_f1", epoch.Validation.MacroF1);
        Instruments.EpochDone(stage, epoch.Loss, epoch.Entropy);
        context.Epochs(epoch, count);
    }

    /// <summary>Keeps a state, also when it is cancelled meanwhile: then it has a moment for it, and where that is not enough the checkpoint before stands.</summary>
    private async Task KeepAsync(byte[] state, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource();
        using var begun = cancellation.Register(() => deadline.CancelAfter(HandOverDeadline));
        try
        {
            await context.Checkpoints.SaveAsync(state, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (cancellation.IsCancellationRequested && error is not ConcurrentWriterException)
        {
            throw new OperationCanceledException($"The last step could not be kept: {error.Message}", error, cancellation);
        }
    }
}

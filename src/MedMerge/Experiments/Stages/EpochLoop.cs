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
        EpochRecord epoch;
        try
        {
            epoch = await run().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            span.Fail("cancelled");
            using var deadline = new CancellationTokenSource(HandOverDeadline);
            await context.Checkpoints.SaveAsync(await save().ConfigureAwait(false), deadline.Token).ConfigureAwait(false);
            throw;
        }
        if (span is not null) span.DisplayName = $"{stage} epoch {epoch.Epoch}";
        span?.SetTag("epoch", epoch.Epoch).SetTag("loss", epoch.Loss).SetTag("macro_f1", epoch.Validation.MacroF1);
        await context.Checkpoints.SaveAsync(await save().ConfigureAwait(false), cancellation).ConfigureAwait(false);
        Instruments.EpochDone(stage, epoch.Loss, epoch.Entropy);
        context.Epochs(epoch, count);
    }
}

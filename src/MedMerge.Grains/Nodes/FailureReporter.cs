using MedMerge.Experiments.Stages;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Classifies and logs what fails on this node, with its stack where it was unexpected, and takes the node out of the
/// cluster where its device is to blame.
/// </summary>
internal sealed partial class FailureReporter(
    ILocalSiloDetails silo,
    DeviceHealth deviceHealth,
    TimeProvider time,
    ILogger<FailureReporter> logger)
{
    /// <summary>Reports a failure where it is caught.</summary>
    /// <param name="work">What failed, as the start of a sentence: <c>Stage 'fine-tune' of trial sweep/1</c>.</param>
    /// <returns>The failure, to be passed on as a <see cref="WorkFailedException"/>.</returns>
    public Failure Report(Exception error, string work)
    {
        var failure = FailureClass.Of(error);
        if (IsExpected(error))
        {
            LogFailed(work, failure.Description);
            return failure;
        }
        deviceHealth.ReportFailure(failure);
        LogUnexpected(error, work, failure.Kind);
        return failure with { Origin = new FailureOrigin(silo.SiloAddress.ToParsableString(), time.GetUtcNow()) };
    }

    /// <summary>
    /// Whether its message is enough: another's failure was logged with its stack where it occurred, bad input is the
    /// user's to correct, a full disk or a missing artefact says which it is, and a lost output is computed again. A computation that
    /// failed on valid input is not expected.
    /// </summary>
    private static bool IsExpected(Exception error) =>
        error
            is WorkFailedException
            or MissingOutputException
            or MissingArtefactException
            or DiskException
            or (InputException and not ComputationException);

    [LoggerMessage(LogLevel.Warning, "{Work} failed: {Reason}")]
    private partial void LogFailed(string work, string reason);

    [LoggerMessage(LogLevel.Error, "{Work} failed unexpectedly ({Kind}).")]
    private partial void LogUnexpected(Exception error, string work, FailureKind kind);
}

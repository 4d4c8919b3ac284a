using MedMerge.Grains.Work;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Classifies and logs what fails on this node, with its stack where it was unexpected, and takes the node out of the cluster where its device
/// is to blame.
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
        if (error is WorkFailedException or InputException)
        {
            LogFailed(work, failure.Description); // the former was logged with its stack where it occurred; the latter is the user's to mend
            return failure;
        }
        deviceHealth.ReportFailure(failure);
        LogUnexpected(error, work, failure.Kind);
        return failure with { Origin = new FailureOrigin(silo.SiloAddress.ToParsableString(), time.GetUtcNow()) };
    }

    [LoggerMessage(LogLevel.Warning, "{Work} failed: {Reason}")]
    private partial void LogFailed(string work, string reason);

    [LoggerMessage(LogLevel.Error, "{Work} failed unexpectedly ({Kind}).")]
    private partial void LogUnexpected(Exception error, string work, FailureKind kind);
}

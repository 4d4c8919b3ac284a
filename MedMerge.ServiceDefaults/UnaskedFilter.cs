using System.Diagnostics;
using OpenTelemetry;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// Leaves out what libraries do by themselves, the calls that are part of no request and no trial: a node that looks into the store every five seconds would fill a
/// dashboard with traces of one span.
/// </summary>
internal sealed class UnaskedFilter : BaseProcessor<Activity>
{
    /// <inheritdoc />
    public override void OnEnd(Activity data)
    {
        // An exporter takes only what is recorded; this is how a processor before it leaves something out.
        if (data.ParentSpanId == default && IsLibrary(data.Source.Name)) data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
    }

    private static bool IsLibrary(string source) =>
        source.StartsWith("Azure.", StringComparison.Ordinal) || source.StartsWith("Microsoft.Orleans.", StringComparison.Ordinal);
}

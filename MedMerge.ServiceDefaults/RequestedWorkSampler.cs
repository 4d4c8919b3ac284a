using MedMerge.Grains;
using OpenTelemetry.Trace;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// Samples requested work: everything under a request or a trial. Background work of libraries is dropped (Orleans'
/// silos exchange their load every second, a node reads the store every five), because it would fill a dashboard with
/// traces of one span. So are the grain calls that repeat every second or every step: steps are in the metrics, work is
/// in the spans of stages and epochs.
/// </summary>
internal sealed class RequestedWorkSampler : Sampler
{
    /// <summary>ASP.NET Core's name for the span of a request.</summary>
    private const string Request = "Microsoft.AspNetCore.Hosting.HttpRequestIn";

    private const string TagPrefix = "medmerge.";

    private static readonly Sampler Inner = new ParentBasedSampler(new AlwaysOnSampler());

    /// <inheritdoc />
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var isSampled = IsRequested(samplingParameters) && !RepeatedCalls.Names.Contains(samplingParameters.Name);
        return isSampled ? Inner.ShouldSample(samplingParameters) : new SamplingResult(SamplingDecision.Drop);
    }

    private static bool IsRequested(in SamplingParameters span) =>
        span.ParentContext.TraceId != default || span.Name == Request || HasOurTag(span);

    private static bool HasOurTag(in SamplingParameters span) =>
        span.Tags?.Any(tag => tag.Key.StartsWith(TagPrefix, StringComparison.Ordinal)) == true;
}

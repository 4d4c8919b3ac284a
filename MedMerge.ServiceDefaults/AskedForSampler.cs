using MedMerge.Grains;
using OpenTelemetry.Trace;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// Traces what somebody asked for: a trial, a request. Left out is what libraries do by themselves (a node looks into the store every five seconds, Orleans' silos tell each
/// other of their load every second), which would fill a dashboard with traces of one span; and the grain calls that are made every second or every step. Steps are seen in the
/// metrics, work in the spans of stages and epochs.
/// </summary>
internal sealed class AskedForSampler : Sampler
{
    /// <summary>What ASP.NET Core calls the span of a request.</summary>
    private const string Request = "Microsoft.AspNetCore.Hosting.HttpRequestIn";

    private static readonly Sampler Inner = new ParentBasedSampler(new AlwaysOnSampler());

    /// <inheritdoc />
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var isAskedFor = samplingParameters.ParentContext.TraceId != default || samplingParameters.Name == Request || IsOurs(samplingParameters);
        return isAskedFor && !RepeatedCalls.Names.Contains(samplingParameters.Name) ? Inner.ShouldSample(samplingParameters) : new SamplingResult(SamplingDecision.Drop);
    }

    private static bool IsOurs(in SamplingParameters span) => span.Tags?.Any(tag => tag.Key.StartsWith("medmerge.", StringComparison.Ordinal)) == true;
}

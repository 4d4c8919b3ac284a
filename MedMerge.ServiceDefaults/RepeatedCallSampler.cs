using MedMerge.Grains;
using OpenTelemetry.Trace;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// Leaves out the grain calls that are made every second or every step: they are the cluster's heartbeat. Steps are seen in the metrics, work in the spans of stages and
/// epochs.
/// </summary>
internal sealed class RepeatedCallSampler(Sampler inner) : Sampler
{
    /// <inheritdoc />
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
        RepeatedCalls.Names.Contains(samplingParameters.Name) ? new SamplingResult(SamplingDecision.Drop) : inner.ShouldSample(samplingParameters);
}

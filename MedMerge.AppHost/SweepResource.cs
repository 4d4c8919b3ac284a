using MedMerge.Grains;

namespace MedMerge.AppHost;

/// <summary>A sweep shown as a resource.</summary>
internal sealed class SweepResource(string id) : Resource(id)
{
    /// <summary>What was published last.</summary>
    public SweepSummary? Summary { get; set; }
}

using MedMerge.Grains.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace MedMerge.Grains.Nodes;

/// <summary>What this node knows of the others.</summary>
internal sealed class ClusterView(IClusterMembershipService membership, ISiloMetadataCache metadata)
{
    /// <summary>How many nodes have that kind of device now.</summary>
    public int NodesWith(string device) => membership.CurrentSnapshot.Members
        .Count(member => member.Value.Status == SiloStatus.Active && metadata.GetSiloMetadata(member.Key).Metadata.GetValueOrDefault(DevicePlacementDirector.Device) == device);

    /// <summary>Every node, those that have left or died among them for a while.</summary>
    public IReadOnlyList<NodeLine> Nodes() => [.. membership.CurrentSnapshot.Members.Values.OrderBy(member => member.SiloAddress)
        .Select(member => new NodeLine(member.SiloAddress.ToParsableString(), member.Name, member.Status.ToString(),
            metadata.GetSiloMetadata(member.SiloAddress).Metadata.GetValueOrDefault(DevicePlacementDirector.Device)))];

    /// <summary>Whether a node has been declared dead, or is of an earlier life of the cluster.</summary>
    /// <param name="node">As messages name it.</param>
    public bool IsDead(string node) => membership.CurrentSnapshot.GetSiloStatus(SiloAddress.FromParsableString(node)) is SiloStatus.Dead or SiloStatus.None;
}

using System.Collections.Concurrent;
using MedMerge.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace MedMerge.Grains.Nodes;

/// <summary>What this node knows of the others. It watches them, for in the end one that left in peace is as dead as one that was killed.</summary>
internal sealed class ClusterView(IClusterMembershipService membership, ISiloMetadataCache metadata) : BackgroundService
{
    private readonly ConcurrentDictionary<SiloAddress, bool> _left = new();

    /// <summary>The nodes that have that kind of device now, as messages name them.</summary>
    public IReadOnlyList<string> NodesWithDevice(string device) => [.. membership.CurrentSnapshot.Members
        .Where(member => member.Value.Status == SiloStatus.Active && metadata.GetSiloMetadata(member.Key).Metadata.GetValueOrDefault(DevicePlacementDirector.Device) == device)
        .Select(member => member.Key.ToParsableString())];

    /// <summary>Every node, those that have left or died among them for a while.</summary>
    public IReadOnlyList<NodeSummary> Nodes() => [.. membership.CurrentSnapshot.Members.Values.OrderBy(member => member.SiloAddress)
        .Select(member => new NodeSummary(member.SiloAddress.ToParsableString(), member.Name, member.Status.ToString(),
            metadata.GetSiloMetadata(member.SiloAddress).Metadata.GetValueOrDefault(DevicePlacementDirector.Device)))];

    /// <summary>Whether a node has died at work. One that this node does not know may have joined just now, and is not dead.</summary>
    /// <param name="node">As messages name it.</param>
    public bool IsDead(string node)
    {
        var silo = SiloAddress.FromParsableString(node);
        return membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Dead && !_left.ContainsKey(silo);
    }

    /// <summary>Whether a node has left in good order, or is about to.</summary>
    /// <param name="node">As messages name it.</param>
    public bool HasLeft(string node) => _left.ContainsKey(SiloAddress.FromParsableString(node));

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            foreach (var member in snapshot.Members.Values.Where(member => member.Status is SiloStatus.ShuttingDown or SiloStatus.Stopping)) _left[member.SiloAddress] = true;
        }
    }
}

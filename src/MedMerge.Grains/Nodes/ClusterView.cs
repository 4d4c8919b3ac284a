using System.Collections.Concurrent;
using MedMerge.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// The cluster's nodes, as this one sees them. It watches them leave: in the membership table a node that has left in
/// good order is as dead as one that was killed.
/// </summary>
internal sealed class ClusterView(IClusterMembershipService membership, ISiloMetadataCache metadata, ILocalSiloDetails local)
    : BackgroundService
{
    private readonly ConcurrentDictionary<SiloAddress, bool> _left = new();

    /// <summary>The active nodes that have that kind of device, as messages name them.</summary>
    public IReadOnlyList<string> NodesWithDevice(string device) => [.. membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status == SiloStatus.Active && DeviceOf(member.SiloAddress) == device)
        .Select(member => member.SiloAddress.ToParsableString())];

    /// <summary>How many stages the active nodes with that kind of device compute at a time.</summary>
    /// <param name="threads">libtorch's threads of a stage.</param>
    public int CountLanes(string device, int threads) => membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status == SiloStatus.Active && DeviceOf(member.SiloAddress) == device)
        .Sum(member => NodeCapacity.FromMetadata(Read(member.SiloAddress, NodeCapacity.Key)).LanesFor(threads));

    /// <summary>
    /// Whether this node is the one that looks after a sweep or schedule: the same on every node that sees the same nodes.
    /// </summary>
    public bool IsResponsible(string name) => membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status == SiloStatus.Active)
        .Select(member => member.SiloAddress)
        .MaxBy(silo => SiloChoice.Rank(name, silo.ToParsableString()))?
        .Equals(local.SiloAddress) != false;

    /// <summary>All nodes, for a while also those that have left or died.</summary>
    public IReadOnlyList<NodeSummary> Nodes() => [.. membership.CurrentSnapshot.Members.Values
        .OrderBy(member => member.SiloAddress)
        .Select(member => new NodeSummary(
            member.SiloAddress.ToParsableString(),
            member.Name,
            member.Status.ToString(),
            DeviceOf(member.SiloAddress)))];

    /// <summary>
    /// Whether a node has died without leaving. One that this node does not know may just have joined, and is not dead.
    /// </summary>
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
            foreach (var member in snapshot.Members.Values)
                if (member.Status is SiloStatus.ShuttingDown or SiloStatus.Stopping) _left[member.SiloAddress] = true;
        }
    }

    private string? DeviceOf(SiloAddress silo) => Read(silo, DevicePlacementDirector.Device);

    private string? Read(SiloAddress silo, string key) => metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(key);
}

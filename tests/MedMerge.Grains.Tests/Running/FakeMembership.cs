using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace MedMerge.Grains.Tests.Running;

/// <summary>A membership table in memory. Every node has a processor as its device.</summary>
internal sealed class FakeMembership : IClusterMembershipService, ISiloMetadataCache, ILocalSiloDetails
{
    private readonly Dictionary<SiloAddress, SiloStatus> _nodes = [];
    private readonly SiloMetadata _metadata = new();

    public FakeMembership()
    {
        var device = ImmutableDictionary<string, string>.Empty.Add(DevicePlacementDirector.Device, "cpu");
        typeof(SiloMetadata).GetProperty(nameof(SiloMetadata.Metadata))!.SetValue(_metadata, device); // Orleans has no public way
        View = new ClusterView(this, this, this);
    }

    public ClusterView View { get; }

    string ILocalSiloDetails.Name => "node";

    string ILocalSiloDetails.ClusterId => "cluster";

    string ILocalSiloDetails.DnsHostName => "localhost";

    SiloAddress ILocalSiloDetails.SiloAddress { get; } = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);

    SiloAddress ILocalSiloDetails.GatewayAddress => null!;

    public ClusterMembershipSnapshot CurrentSnapshot
    {
        get
        {
            lock (_nodes)
            {
                var members = _nodes.ToImmutableDictionary(node => node.Key, node => new ClusterMember(node.Key, node.Value, "node"));
                return new ClusterMembershipSnapshot(members, MembershipVersion.MinValue);
            }
        }
    }

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => UpdatesAsync(CancellationToken.None);

    /// <summary>A node joins.</summary>
    /// <returns>The node, as messages name it.</returns>
    public string Join(int number)
    {
        var silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, number), number);
        lock (_nodes) _nodes[silo] = SiloStatus.Active;
        return silo.ToParsableString();
    }

    public void Kill(string node)
    {
        lock (_nodes) _nodes[SiloAddress.FromParsableString(node)] = SiloStatus.Dead;
    }

    public SiloMetadata GetSiloMetadata(SiloAddress siloAddress) => _metadata;

    public ValueTask Refresh(MembershipVersion minimumVersion, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

    private static async IAsyncEnumerable<ClusterMembershipSnapshot> UpdatesAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.Delay(Timeout.Infinite, cancellation);
        yield break;
    }
}

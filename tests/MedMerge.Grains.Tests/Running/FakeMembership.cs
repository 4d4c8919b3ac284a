using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Tensors;
using MedMerge.Testing;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace MedMerge.Grains.Tests.Running;

/// <summary>A membership table in memory. Every node has the device of the tests.</summary>
internal sealed class FakeMembership : IClusterMembershipService, ISiloMetadataCache, ILocalSiloDetails
{
    private readonly Dictionary<SiloAddress, SiloStatus> _nodes = [];
    private readonly SiloMetadata _metadata = new();
    private readonly SiloAddress _own;

    /// <param name="own">The number of the node whose view this is.</param>
    public FakeMembership(int own = 1)
    {
        _own = CreateAddress(own);
        var device = ImmutableDictionary<string, string>.Empty.Add(DevicePlacementDirector.Device, DeviceName.Kind(TestDevice.Name));
        typeof(SiloMetadata).GetProperty(nameof(SiloMetadata.Metadata))!.SetValue(_metadata, device); // Orleans has no public way
        View = new ClusterView(this, this, this);
    }

    public ClusterView View { get; }

    string ILocalSiloDetails.Name => "node";

    string ILocalSiloDetails.ClusterId => "cluster";

    string ILocalSiloDetails.DnsHostName => "localhost";

    SiloAddress ILocalSiloDetails.SiloAddress => _own;

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
        var silo = CreateAddress(number);
        lock (_nodes) _nodes[silo] = SiloStatus.Active;
        return silo.ToParsableString();
    }

    /// <summary>A node, as messages name it.</summary>
    public static string NameOf(int number) => CreateAddress(number).ToParsableString();

    private static SiloAddress CreateAddress(int number) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, number), number);

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

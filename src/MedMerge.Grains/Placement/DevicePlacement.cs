using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;

namespace MedMerge.Grains.Placement;

/// <summary>Places a grain whose key begins with a kind of device, <c>cuda/…</c>, on a silo that has one.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class DevicePlacementAttribute() : PlacementAttribute(new DevicePlacement());

/// <inheritdoc cref="DevicePlacementAttribute" />
[Serializable]
internal sealed class DevicePlacement : PlacementStrategy;

/// <summary>
/// Spreads grains over the silos whose metadata name the device asked for. Orleans' own metadata filters compare with the calling silo,
/// and a coordinator without a device has nothing to compare. The shards of one stage go to one silo after the other, and a shard that is
/// placed anew goes to the next.
/// </summary>
internal sealed class DevicePlacementDirector(ISiloMetadataCache metadata) : IPlacementDirector
{
    /// <summary>The metadata key: <c>Orleans__Metadata__device=cuda</c>.</summary>
    public const string Device = "device";

    /// <inheritdoc />
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString()!.Split('/'); // DEVICE/STAGE, or DEVICE/STAGE/SHARD/PLACEMENT
        var silos = context.GetCompatibleSilos(target).Where(silo => DeviceOf(silo) == key[0]).Order().ToArray();
        if (silos.Length == 0) throw new OrleansException($"No node has the device '{key[0]}' now. A node says what it has by Orleans__Metadata__device.");
        var start = BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(key[1])));
        var turn = key.Length > 3 ? uint.Parse(key[2], System.Globalization.CultureInfo.InvariantCulture) + uint.Parse(key[3], System.Globalization.CultureInfo.InvariantCulture) : 0;
        return Task.FromResult(silos[(start + turn) % silos.Length]);
    }

    private string? DeviceOf(SiloAddress silo) => metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(Device);
}

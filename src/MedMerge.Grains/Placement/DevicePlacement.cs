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
/// Spreads grains over the silos whose metadata name the required device. Orleans' own metadata filters compare with
/// the calling silo, which need not have that device.
/// </summary>
internal sealed class DevicePlacementDirector(ISiloMetadataCache metadata) : IPlacementDirector
{
    /// <summary>The metadata key: <c>Orleans__Metadata__device=cuda</c>.</summary>
    public const string Device = "device";

    /// <inheritdoc />
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        Task.FromResult(Choose(target, context.GetCompatibleSilos(target)));

    private SiloAddress Choose(PlacementTarget target, SiloAddress[] silos) => SiloChoice.For(
        target.GrainIdentity.Key.ToString()!,
        silos.Select(silo => (silo, DeviceOf(silo))),
        IPlacementDirector.GetPlacementHint(target.RequestContextData, silos));

    private string? DeviceOf(SiloAddress silo) => metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(Device);
}

using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace MedMerge.Grains.Placement;

/// <summary>Places a grain on the silo that its key names.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NodePlacementAttribute() : PlacementAttribute(new NodePlacement());

/// <inheritdoc cref="NodePlacementAttribute" />
[Serializable]
internal sealed class NodePlacement : PlacementStrategy;

/// <inheritdoc cref="NodePlacementAttribute" />
internal sealed class NodePlacementDirector : IPlacementDirector
{
    /// <inheritdoc />
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var wanted = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        var found = context.GetCompatibleSilos(target).FirstOrDefault(silo => silo.Equals(wanted));
        return Task.FromResult(found ?? throw new OrleansException($"The node {wanted} is gone."));
    }
}

using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>The name by which a cluster owns the sweeps that it runs.</summary>
internal sealed record SweepOwner(string Name);

/// <summary>
/// Decides whether this cluster may run a sweep. Several clusters, or a cluster and <c>medmerge run</c>, can share a
/// store; where both ran a sweep, each would undo the other's decisions and stop its stages. An owner is taken for gone
/// once the record has not changed for a while, by this node's clock alone: clocks of different machines are not compared.
/// </summary>
internal sealed class SweepOwnership(SweepOwner owner, TimeProvider time)
{
    /// <summary>How long an owner may leave the record unchanged.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    /// <summary>After so long without a change the owner writes the record again.</summary>
    public static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(15);

    private string? _seen;
    private long _since;

    /// <summary>Whether another cluster owns the sweep.</summary>
    public bool IsForeign(SweepRecord record) => record.Owner is not null && record.Owner != owner.Name;

    /// <summary>Whether this cluster may run the sweep now.</summary>
    /// <param name="etag">The record's, as just read.</param>
    public bool MayRun(SweepRecord record, string etag)
    {
        if (!IsForeign(record)) return true;
        if (_seen != etag)
        {
            _seen = etag;
            _since = time.GetTimestamp();
        }
        return time.GetElapsedTime(_since) >= Lease;
    }

    /// <summary>Takes the sweep, where it is not this cluster's already.</summary>
    public async Task TakeAsync(SweepState sweep)
    {
        if (sweep.Record.Owner == owner.Name) return;
        await sweep.WriteAsync(record => record.OwnedBy(owner.Name)).ConfigureAwait(false);
    }

    /// <summary>Gives the sweep up, so that another need not wait for the lease's end.</summary>
    public async Task ReleaseAsync(SweepState sweep)
    {
        if (sweep.Record.Owner != owner.Name || sweep.IsStale) return;
        await sweep.WriteAsync(record => record.OwnedBy(null)).ConfigureAwait(false);
    }
}

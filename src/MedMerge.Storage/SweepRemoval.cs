namespace MedMerge.Storage;

/// <summary>Removes sweeps with what only they used.</summary>
public sealed class SweepRemoval(IObjectStore objects)
{
    private readonly SweepStore _sweeps = new(objects);

    /// <summary>
    /// Removes a sweep that has ended, and the outputs and checkpoints of stages that no other sweep has, unless another's plan is lost, so
    /// that it is not known which. What those consist of is removed by the next clean-up (<see cref="StoreMaintenance.CollectAsync"/>).
    /// If it is interrupted, doing it again goes on.
    /// </summary>
    /// <returns>Whether it is gone; false where it has not ended.</returns>
    /// <exception cref="InvalidDataException">A sweep's record can't be read, so what is used is not known.</exception>
    public async Task<bool> RemoveAsync(string id, CancellationToken cancellation)
    {
        var contents = await StoreContents.ReadAsync(objects, cancellation).ConfigureAwait(false);
        var sweep = contents.Sweeps.FirstOrDefault(sweep => sweep.Id == id);
        if (sweep is null) return true;
        if (!sweep.HasEnded) return false;
        await RemoveAsync([sweep], contents, cancellation).ConfigureAwait(false);
        return true;
    }

    /// <summary>Removes several sweeps that have ended.</summary>
    internal async Task RemoveAsync(IReadOnlyList<StoredSweep> sweeps, StoreContents contents, CancellationToken cancellation)
    {
        var others = contents.Sweeps.Except(sweeps).ToList();
        var kept = others.SelectMany(sweep => sweep.Stages ?? []).ToHashSet();
        var areAllKnown = others.TrueForAll(sweep => sweep.Stages is not null);
        var removable = areAllKnown ? sweeps.SelectMany(sweep => sweep.Stages ?? []).Distinct() : [];
        foreach (var key in removable.Where(key => !kept.Contains(key)))
        {
            if (contents.Stages.ContainsKey(key))
                await objects.DeleteAsync(StageStore.Prefix + key, cancellation).ConfigureAwait(false);
            await foreach (var found in objects.ListAsync($"{CheckpointStore.Prefix}{key}/", cancellation).ConfigureAwait(false))
                await objects.DeleteAsync(found.Name, cancellation).ConfigureAwait(false);
        }
        foreach (var sweep in sweeps) await _sweeps.RemoveAsync(sweep.Id, sweep.Submitted, cancellation).ConfigureAwait(false);
    }
}

namespace MedMerge.Storage;

/// <summary>Which sweeps are kept: none that ended long ago, and no more than fit. What has not ended always is.</summary>
/// <param name="MaxAge">Since its end; null for any.</param>
/// <param name="MaxBytes">Of all that the store's sweeps refer to; null for any.</param>
public sealed record Retention(TimeSpan? MaxAge, long? MaxBytes)
{
    /// <summary>Removes the sweeps that are too old or too many, oldest first, and what only they used.</summary>
    /// <param name="isDryRun">Whether nothing is removed.</param>
    /// <returns>The sweeps, each with the bytes that its removal frees after those before it.</returns>
    /// <exception cref="InvalidDataException">A sweep's record can't be read; nothing is removed.</exception>
    public async Task<IReadOnlyList<SweepUsage>> ApplyAsync(
        IObjectStore objects,
        bool isDryRun,
        TimeProvider time,
        CancellationToken cancellation)
    {
        var contents = await StoreContents.ReadAsync(objects, cancellation).ConfigureAwait(false);
        var chosen = Choose(contents, time.GetUtcNow());
        if (!isDryRun)
        {
            var ids = chosen.Select(usage => usage.Id).ToHashSet();
            var removed = contents.Sweeps.Where(sweep => ids.Contains(sweep.Id)).ToList();
            await new SweepRemoval(objects).RemoveAsync(removed, contents, cancellation).ConfigureAwait(false);
        }
        return chosen;
    }

    /// <summary>The sweeps to remove, oldest first.</summary>
    internal IReadOnlyList<SweepUsage> Choose(StoreContents contents, DateTimeOffset now)
    {
        var users = contents.CountUsers();
        var bytes = users.Keys.Sum(contents.LengthOf);
        var chosen = new List<SweepUsage>();
        foreach (var sweep in contents.Sweeps.Where(sweep => sweep.HasEnded).OrderBy(sweep => sweep.Modified))
        {
            if (!(now - sweep.Modified > MaxAge || bytes > MaxBytes)) continue;
            var artefacts = contents.ArtefactsOf(sweep);
            var freed = artefacts.Where(hash => --users[hash] == 0).Sum(contents.LengthOf);
            bytes -= freed;
            chosen.Add(new SweepUsage(sweep.Id, sweep.State, sweep.Modified, artefacts.Sum(contents.LengthOf), freed));
        }
        return chosen;
    }
}

namespace MedMerge.Storage.Schedules;

/// <summary>Schedules under <c>schedules/NAME</c>, each changed on condition of its ETag.</summary>
internal sealed class ScheduleStore(IObjectStore objects)
{
    /// <summary>Prefix of all schedules.</summary>
    public const string Prefix = "schedules/";

    private const string Kind = "schedule";

    /// <summary>A schedule with its ETag, or null where there is none; the name may be any text.</summary>
    /// <exception cref="InvalidDataException">Its record is damaged.</exception>
    public async Task<(Schedule Schedule, string ETag)?> FindAsync(string name, CancellationToken cancellation)
    {
        if (!Schedule.IsName(name)) return null;
        var (schedule, etag) = await Manifest.ReadAsync<Schedule>(objects, Prefix + name, Kind, cancellation).ConfigureAwait(false);
        if (etag is null) return null;
        return schedule is null
            ? throw new InvalidDataException($"The record of schedule '{name}' is damaged. Remove it and add it again.")
            : (schedule, etag);
    }

    /// <summary>Keeps a new schedule.</summary>
    /// <returns>Whether it was kept; false where the name is taken.</returns>
    public async Task<bool> TryCreateAsync(Schedule schedule, CancellationToken cancellation)
    {
        var commit = Guid.NewGuid().ToString("N");
        var content = Manifest.Write(Kind, commit, schedule);
        return await objects.TryCreateAsync(Prefix + schedule.Name, content, cancellation).ConfigureAwait(false) is not null
               || await OwnWriteAsync(schedule.Name, commit, cancellation).ConfigureAwait(false);
    }

    /// <summary>Keeps a schedule's new record.</summary>
    /// <returns>Whether it was kept; false where another process has changed or removed it since.</returns>
    public async Task<bool> TryReplaceAsync(Schedule schedule, string etag, CancellationToken cancellation)
    {
        var commit = Guid.NewGuid().ToString("N");
        var content = Manifest.Write(Kind, commit, schedule);
        return await objects.TryReplaceAsync(Prefix + schedule.Name, content, etag, cancellation).ConfigureAwait(false) is not null
               || await OwnWriteAsync(schedule.Name, commit, cancellation).ConfigureAwait(false);
    }

    /// <summary>Changes a schedule, again where another process was faster.</summary>
    /// <param name="change">Gives the same object where there is nothing to change.</param>
    /// <returns>The record before and after; null where there is no such schedule.</returns>
    /// <exception cref="InvalidDataException">Its record is damaged.</exception>
    public async Task<(Schedule Before, Schedule After)?> UpdateAsync(
        string name,
        Func<Schedule, Schedule> change,
        CancellationToken cancellation)
    {
        while (true)
        {
            if (await FindAsync(name, cancellation).ConfigureAwait(false) is not var (before, etag)) return null;
            var after = change(before);
            if (ReferenceEquals(before, after)) return (before, after);
            if (await TryReplaceAsync(after, etag, cancellation).ConfigureAwait(false)) return (before, after);
        }
    }

    /// <summary>Removes a schedule; the sweeps that it has submitted stay.</summary>
    public Task RemoveAsync(string name, CancellationToken cancellation) => objects.DeleteAsync(Prefix + name, cancellation);

    /// <summary>All names, in ordinal order.</summary>
    public async Task<List<string>> ListAsync(CancellationToken cancellation)
    {
        var names = new List<string>();
        await foreach (var found in objects.ListAsync(Prefix, cancellation).ConfigureAwait(false)) names.Add(found.Name[Prefix.Length..]);
        return names;
    }

    /// <summary>The artefacts that a schedule's manifest refers to, or null where it is damaged.</summary>
    public static IEnumerable<string>? ArtefactsOf(ReadOnlyMemory<byte> manifest) =>
        Manifest.Read<Schedule>(manifest, Kind) is { } schedule ? [schedule.Specification, schedule.Plan, .. schedule.Inputs] : null;

    /// <summary>
    /// Where the answer to a write was lost, the client tries again and fails on its own first try; the commit's id tells.
    /// </summary>
    private async Task<bool> OwnWriteAsync(string name, string commit, CancellationToken cancellation)
    {
        var stored = await objects.ReadAsync(Prefix + name, cancellation).ConfigureAwait(false);
        return stored is not null && Manifest.CommitOf(stored.Content) == commit;
    }
}

using System.Runtime.CompilerServices;
using System.Text.Json;
using MedMerge.Experiments.Planning;
using MedMerge.Grains;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;

namespace MedMerge.Storage;

/// <summary>Maintenance of a whole store: finds damage, removes what is no longer referenced.</summary>
public static class StoreMaintenance
{
    /// <summary>What a check found.</summary>
    /// <param name="Objects">How many objects were read.</param>
    /// <param name="Damaged">The names of those that are damaged or not what their name says, and of artefacts that are
    /// missing.</param>
    public sealed record Findings(int Objects, IReadOnlyList<string> Damaged);

    /// <summary>What a clean-up did.</summary>
    /// <param name="Kept">Artefacts that are still there.</param>
    /// <param name="Removed">Artefacts that are gone.</param>
    /// <param name="Stages">How many stages' checkpoints are gone.</param>
    public sealed record Cleaned(int Kept, int Removed, int Stages);

    /// <summary>Reads everything and checks every hash.</summary>
    public static async Task<Findings> VerifyAsync(IObjectStore objects, CancellationToken cancellation)
    {
        var damaged = new List<string>();
        var count = 0;
        var artefacts = new ArtefactStore(objects);
        var present = new HashSet<string>();
        await foreach (var found in objects.ListAsync(ArtefactStore.Prefix, cancellation).ConfigureAwait(false))
        {
            count++;
            var hash = HashOf(found);
            present.Add(hash);
            if (await artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false) is null) damaged.Add(found.Name);
        }
        await foreach (var (name, referred) in ManifestsAsync(objects, cancellation).ConfigureAwait(false))
        {
            count++;
            if (referred is null) damaged.Add(name);
            else damaged.AddRange(referred.Where(hash => !present.Contains(hash)).Select(hash => Missing(hash, name)));
        }
        return new Findings(count, damaged);
    }

    private static string HashOf(ObjectInfo artefact) => artefact.Name[ArtefactStore.Prefix.Length..];

    private static string Missing(string hash, string manifest) => $"{ArtefactStore.Prefix}{hash} (missing; {manifest} refers to it)";

    /// <summary>
    /// Removes the checkpoints of stages that nothing has touched for <paramref name="age"/>, then artefacts that no
    /// manifest refers to and that are as old: a run writes artefacts before the manifest that lists them. Such a stage
    /// is done or was given up, unless a sweep that has not ended needs it: an epoch may take longer than that. What is
    /// written or renewed (<see cref="ArtefactStore.RenewAsync"/>) after it was listed stays.
    /// </summary>
    /// <exception cref="InvalidDataException">A manifest is damaged, so what it refers to is not known; nothing is
    /// removed.</exception>
    public static async Task<Cleaned> CollectAsync(IObjectStore objects, TimeSpan age, TimeProvider time, CancellationToken cancellation)
    {
        // Artefacts first: one that is written after this list is not on it, and one on it is referred to by now or left over.
        var artefacts = new List<ObjectInfo>();
        await foreach (var found in objects.ListAsync(ArtefactStore.Prefix, cancellation).ConfigureAwait(false)) artefacts.Add(found);
        var oldest = time.GetUtcNow() - age;
        var stages = await UntouchedStagesAsync(objects, oldest, cancellation).ConfigureAwait(false);
        var dropped = stages.SelectMany(stage => stage).Select(item => item.Name).ToHashSet();
        var referred = new HashSet<string>();
        await foreach (var (name, hashes) in ManifestsAsync(objects, cancellation).ConfigureAwait(false))
        {
            if (dropped.Contains(name)) continue;
            referred.UnionWith(hashes ?? throw new InvalidDataException(
                $"'{name}' is damaged, so what it refers to is not known; nothing was removed. `medmerge storage verify` lists all damage; "
                + "a damaged stage is computed again by the next run that needs it."));
        }
        foreach (var stage in stages) await RemoveCheckpointsAsync(objects, stage, cancellation).ConfigureAwait(false);
        var removed = 0;
        foreach (var artefact in artefacts.Where(artefact => artefact.Modified < oldest && !referred.Contains(HashOf(artefact))))
            if (await objects.TryDeleteAsync(artefact, cancellation).ConfigureAwait(false)) removed++;
        return new Cleaned(artefacts.Count - removed, removed, stages.Count);
    }

    /// <summary>Removes a stage's checkpoints, unless the first of them was replaced meanwhile: then it runs after all.</summary>
    private static async Task RemoveCheckpointsAsync(IObjectStore objects, List<ObjectInfo> stage, CancellationToken cancellation)
    {
        foreach (var item in stage)
            if (!await objects.TryDeleteAsync(item, cancellation).ConfigureAwait(false)) return;
    }

    /// <summary>The stages of sweeps that have not ended; null where one's plan can't be read.</summary>
    private static async Task<HashSet<string>?> NeededStagesAsync(IObjectStore objects, CancellationToken cancellation)
    {
        var sweeps = new SweepStore(objects);
        var artefacts = new ArtefactStore(objects);
        var keys = new HashSet<string>();
        foreach (var id in await sweeps.ListAsync(cancellation).ConfigureAwait(false))
        {
            if (await sweeps.FindHeadAsync(id, cancellation).ConfigureAwait(false) is not { Head: var record }) continue;
            if (record.State is not (WorkState.Running or WorkState.Paused)) continue;
            try
            {
                if (await artefacts.ReadAsync(record.Plan, cancellation).ConfigureAwait(false) is not { } plan) return null;
                keys.UnionWith(PlanSummary.Read(plan).Stages.Select(stage => stage.Key));
            }
            catch (JsonException)
            {
                return null; // of another version
            }
        }
        return keys;
    }

    /// <summary>
    /// The checkpoints of each stage whose newest is older than that; the pointer first, for without it the rest means
    /// nothing.
    /// </summary>
    private static async Task<List<List<ObjectInfo>>> UntouchedStagesAsync(
        IObjectStore objects,
        DateTimeOffset oldest,
        CancellationToken cancellation)
    {
        var found = new List<ObjectInfo>();
        foreach (var prefix in new[] { CheckpointStore.Prefix, CheckpointStore.LegacyPrefix })
            await foreach (var item in objects.ListAsync(prefix, cancellation).ConfigureAwait(false)) found.Add(item);
        var old = found
            .GroupBy(item => CheckpointStore.StageOf(item.Name))
            .Where(stage => stage.All(item => item.Modified < oldest))
            .ToList();
        if (old.Count == 0) return [];
        var needed = await NeededStagesAsync(objects, cancellation).ConfigureAwait(false);
        if (needed is null) return [];
        return [.. old
            .Where(stage => !needed.Contains(stage.Key))
            .Select(stage => stage.OrderBy(item => CheckpointStore.IsManifest(item.Name)).ToList())];
    }

    /// <summary>Every manifest that refers to artefacts, with their hashes; null where it is damaged.</summary>
    private static async IAsyncEnumerable<(string Name, IEnumerable<string>? Artefacts)> ManifestsAsync(
        IObjectStore objects,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var found in objects.ListAsync(StageStore.Prefix, cancellation).ConfigureAwait(false))
        {
            if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stored)
                yield return (found.Name, StageStore.FilesOf(stored.Content)?.Values);
        }
        await foreach (var found in objects.ListAsync(SweepStore.Prefix, cancellation).ConfigureAwait(false))
        {
            if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stored)
                yield return (found.Name, SweepStore.ArtefactsOf(stored.Content));
        }
        await foreach (var found in objects.ListAsync(SweepStore.SegmentPrefix, cancellation).ConfigureAwait(false))
        {
            if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stored)
                yield return (found.Name, SweepStore.IsSegment(stored.Content) ? [] : null);
        }
        await foreach (var found in objects.ListAsync(ScheduleStore.Prefix, cancellation).ConfigureAwait(false))
        {
            if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stored)
                yield return (found.Name, ScheduleStore.ArtefactsOf(stored.Content));
        }
        await foreach (var found in objects.ListAsync(BenchmarkStore.RunPrefix, cancellation).ConfigureAwait(false))
        {
            if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stored)
                yield return (found.Name, BenchmarkStore.ArtefactsOf(stored.Content));
        }
        await foreach (var found in objects.ListAsync(CheckpointStore.Prefix, cancellation).ConfigureAwait(false))
        {
            if (!CheckpointStore.IsManifest(found.Name)) continue;
            if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stored)
                yield return (found.Name, CheckpointStore.ArtefactsOf(stored.Content));
        }
    }
}

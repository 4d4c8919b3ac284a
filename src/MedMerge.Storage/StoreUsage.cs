using MedMerge.Experiments.Planning;
using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>What a sweep takes of a store.</summary>
/// <param name="Modified">When it was last changed; of one that has ended, its end.</param>
/// <param name="Bytes">Of all that it refers to.</param>
/// <param name="OwnBytes">Of what no other sweep refers to: what removing it frees.</param>
public sealed record SweepUsage(string Id, WorkState State, DateTimeOffset Modified, long Bytes, long OwnBytes);

/// <summary>What is in a store, in bytes.</summary>
/// <param name="Total">All of it.</param>
/// <param name="Outputs">Artefacts that stages' outputs refer to.</param>
/// <param name="Checkpoints">Checkpoints, and the artefacts that only they refer to.</param>
/// <param name="Inputs">Specifications, plans, data sets and weight files of sweeps.</param>
/// <param name="Other">Records, and artefacts that nothing refers to: those a clean-up removes once they are old.</param>
/// <param name="Sweeps">Each sweep, newest first.</param>
public sealed record StoreUsage(
    long Total,
    long Outputs,
    long Checkpoints,
    long Inputs,
    long Other,
    IReadOnlyList<SweepUsage> Sweeps)
{
    /// <summary>Lists the store, and reads its records and plans; no output is read.</summary>
    /// <exception cref="InvalidDataException">A sweep's record can't be read.</exception>
    public static async Task<StoreUsage> ReadAsync(IObjectStore objects, CancellationToken cancellation)
    {
        var contents = await StoreContents.ReadAsync(objects, cancellation).ConfigureAwait(false);
        var users = contents.CountUsers();
        var outputs = contents.Stages.Values.SelectMany(files => files).ToHashSet();
        var inputs = contents.Sweeps.SelectMany(sweep => sweep.Inputs).ToHashSet();
        inputs.ExceptWith(outputs);
        var checkpoints = contents.CheckpointArtefacts.ToHashSet();
        checkpoints.ExceptWith(outputs);
        checkpoints.ExceptWith(inputs);
        var inOutputs = outputs.Sum(contents.LengthOf);
        var inInputs = inputs.Sum(contents.LengthOf);
        var inCheckpoints = checkpoints.Sum(contents.LengthOf) + contents.CheckpointBytes;
        return new StoreUsage(
            contents.TotalBytes,
            inOutputs,
            inCheckpoints,
            inInputs,
            contents.TotalBytes - inOutputs - inInputs - inCheckpoints,
            [.. contents.Sweeps.OrderByDescending(sweep => sweep.Modified).Select(Describe)]);

        SweepUsage Describe(StoredSweep sweep)
        {
            var artefacts = contents.ArtefactsOf(sweep);
            return new SweepUsage(
                sweep.Id,
                sweep.State,
                sweep.Modified,
                artefacts.Sum(contents.LengthOf),
                artefacts.Where(hash => users[hash] == 1).Sum(contents.LengthOf));
        }
    }
}

/// <summary>A sweep with what it refers to.</summary>
/// <param name="Modified">When its head was last written.</param>
/// <param name="Inputs">Hashes of its specification, its plan and the files that it names.</param>
/// <param name="Stages">Keys of its plan's stages; null where the plan is lost.</param>
internal sealed record StoredSweep(
    string Id,
    WorkState State,
    DateTimeOffset Submitted,
    DateTimeOffset Modified,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string>? Stages)
{
    /// <summary>Whether it may be removed.</summary>
    public bool HasEnded => State is WorkState.Done or WorkState.Cancelled or WorkState.Failed;
}

/// <summary>What a store holds, and what refers to what.</summary>
/// <param name="Artefacts">Lengths in bytes, by hash.</param>
/// <param name="Stages">Hashes of the files of each stage's output, by key.</param>
/// <param name="CheckpointBytes">Of the checkpoints' own records.</param>
internal sealed record StoreContents(
    IReadOnlyDictionary<string, long> Artefacts,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Stages,
    IReadOnlyList<StoredSweep> Sweeps,
    IReadOnlyList<string> CheckpointArtefacts,
    long CheckpointBytes,
    long TotalBytes)
{
    /// <inheritdoc cref="StoreUsage.ReadAsync" />
    public static async Task<StoreContents> ReadAsync(IObjectStore objects, CancellationToken cancellation)
    {
        var artefacts = new Dictionary<string, long>();
        var stages = new Dictionary<string, IReadOnlyList<string>>();
        var sweeps = new List<StoredSweep>();
        var ofCheckpoints = new List<string>();
        long checkpoints = 0, total = 0;
        var heads = new SweepStore(objects);
        var contents = new ArtefactStore(objects);
        await foreach (var found in objects.ListAsync("", cancellation).ConfigureAwait(false))
        {
            total += found.Length;
            var slash = found.Name.IndexOf('/', StringComparison.Ordinal);
            var name = found.Name[(slash + 1)..];
            switch (found.Name[..(slash + 1)])
            {
                case ArtefactStore.Prefix:
                    artefacts[name] = found.Length;
                    break;
                case StageStore.Prefix:
                    if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } stage)
                        stages[name] = [.. StageStore.FilesOf(stage.Content)?.Values ?? []];
                    break;
                case CheckpointStore.Prefix:
                    checkpoints += found.Length;
                    if (!CheckpointStore.IsManifest(found.Name)) break;
                    if (await objects.ReadAsync(found.Name, cancellation).ConfigureAwait(false) is { } checkpoint)
                        ofCheckpoints.AddRange(CheckpointStore.ArtefactsOf(checkpoint.Content) ?? []);
                    break;
                case SweepStore.Prefix:
                    if (await heads.FindHeadAsync(name, cancellation).ConfigureAwait(false) is var (head, _))
                        sweeps.Add(await ReadAsync(name, head, found.Modified, contents, cancellation).ConfigureAwait(false));
                    break;
            }
        }
        return new StoreContents(artefacts, stages, sweeps, ofCheckpoints, checkpoints, total);
    }

    /// <summary>An artefact's length in bytes; 0 where it is missing.</summary>
    public long LengthOf(string hash) => Artefacts.GetValueOrDefault(hash);

    /// <summary>All artefacts that a sweep refers to, each once.</summary>
    public IReadOnlySet<string> ArtefactsOf(StoredSweep sweep) =>
        sweep.Inputs.Concat((sweep.Stages ?? []).SelectMany(key => Stages.GetValueOrDefault(key, []))).ToHashSet();

    /// <summary>How many sweeps refer to each artefact.</summary>
    public Dictionary<string, int> CountUsers() => Sweeps.SelectMany(ArtefactsOf).CountBy(hash => hash).ToDictionary();

    private static async Task<StoredSweep> ReadAsync(
        string id,
        SweepHead head,
        DateTimeOffset modified,
        ArtefactStore artefacts,
        CancellationToken cancellation)
    {
        var plan = await artefacts.ReadAsync(head.Plan, cancellation).ConfigureAwait(false);
        IReadOnlyList<string> inputs = [head.Specification, head.Plan, .. head.Inputs];
        var stages = plan is null ? null : PlanSummary.FindStageKeys(plan);
        return new StoredSweep(id, head.State, head.Submitted, modified, inputs, stages);
    }
}

using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

public sealed class StoreMaintenanceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-care-").FullName;
    private readonly FolderObjectStore _objects;

    public StoreMaintenanceTests() => _objects = new FolderObjectStore(_folder);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Only_what_nobody_refers_to_and_is_old_enough_is_removed()
    {
        await FillAsync();
        Age("artefacts", hours: 3);
        await new ArtefactStore(_objects).WriteAsync(new byte[] { 42 }, Cancellation); // of a run that died before its manifest

        Assert.Equal(new StoreMaintenance.Cleaned(Kept: 3, Removed: 0, Stages: 0), await CollectAsync(hours: 1));
        Age("artefacts", hours: 3);
        Assert.Equal(new StoreMaintenance.Cleaned(Kept: 2, Removed: 1, Stages: 0), await CollectAsync(hours: 1));

        Assert.NotNull(await new StageStore(_objects).FindAsync("key", Cancellation));
        Assert.NotNull(await new CheckpointStore(_objects, "t").LoadAsync(Cancellation));
        Assert.Empty((await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
    }

    [Fact]
    public async Task Checkpoints_go_once_nothing_has_touched_them_for_long_enough_whether_their_stage_is_done_or_not()
    {
        await FillAsync();
        // Of a run that died between the stage's end and its clearing.
        await new StageStore(_objects).Checkpoints("key").SaveAsync([3], Cancellation);
        var store = new CheckpointStore(_objects, "t");
        await store.CommitAsync(await store.LoadAsync(Cancellation), new Dictionary<string, byte[]> { ["b"] = [4] }, Cancellation);
        Age("", hours: 3);
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "checkpoints", "t", "pointer"), DateTime.UtcNow); // a run at work

        Assert.Equal(new StoreMaintenance.Cleaned(Kept: 4, Removed: 0, Stages: 0), await CollectAsync(hours: 4));
        Assert.Equal(new StoreMaintenance.Cleaned(Kept: 3, Removed: 1, Stages: 1), await CollectAsync(hours: 2));
        Assert.Equal([4], (await new CheckpointStore(_objects, "t").LoadAsync(Cancellation))!.Files["b"]);
        Assert.Null(await new StageStore(_objects).Checkpoints("key").LoadAsync(Cancellation));

        Age("checkpoints", hours: 3);
        // Damage in what goes anyway does not matter.
        File.WriteAllText(Directory.GetFiles(Path.Combine(_folder, "checkpoints", "t"), "0*")[0], "{");
        Age("checkpoints", hours: 3);
        Assert.Equal(new StoreMaintenance.Cleaned(Kept: 1, Removed: 2, Stages: 1), await CollectAsync(hours: 2));
        Assert.NotNull(await new StageStore(_objects).FindAsync("key", Cancellation));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "checkpoints"), "*", SearchOption.AllDirectories));
        Assert.Empty((await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
    }

    [Fact]
    public async Task All_damage_is_found_and_nothing_is_removed_beside_a_damaged_manifest()
    {
        await FillAsync();
        var artefact = Directory.GetFiles(Path.Combine(_folder, "artefacts")).First();
        await File.AppendAllTextAsync(artefact, "x", Cancellation);
        var manifest = Path.Combine(_folder, "stages", "key");
        await File.WriteAllTextAsync(manifest, "{", Cancellation);

        var findings = await StoreMaintenance.VerifyAsync(_objects, Cancellation);
        Assert.Equal(4, findings.Objects);
        Assert.Equal(["artefacts/" + Path.GetFileName(artefact), "stages/key"], findings.Damaged);
        await Assert.ThrowsAsync<InvalidDataException>(() => CollectAsync(hours: -1));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_folder, "artefacts")).Length);
    }

    [Fact]
    public async Task Collecting_removes_the_checkpoints_of_an_older_version()
    {
        foreach (var name in new[] { "trials/key/pointer", "trials/key/checkpoints/00000001-a" })
            await _objects.TryCreateAsync(name, new byte[] { 1 }, Cancellation);
        Assert.Equal(0, (await CollectAsync(hours: 1)).Stages);

        Age("trials", hours: 3);
        Assert.Equal(1, (await CollectAsync(hours: 1)).Stages);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "trials"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_missing_artefact_is_named_with_who_needs_it()
    {
        await FillAsync();
        Directory.GetFiles(Path.Combine(_folder, "artefacts")).ToList().ForEach(File.Delete);
        var findings = await StoreMaintenance.VerifyAsync(_objects, Cancellation);
        Assert.Equal(2, findings.Damaged.Count);
        Assert.Contains(findings.Damaged, damaged => damaged.EndsWith("(missing; stages/key refers to it)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sweeps_specification_and_inputs_are_referred_to_and_its_mark_is_no_damage()
    {
        var artefacts = new ArtefactStore(_objects);
        var specification = await artefacts.WriteAsync(new byte[] { 7 }, Cancellation);
        var input = await artefacts.WriteAsync(new byte[] { 8 }, Cancellation);
        await artefacts.WriteAsync(new byte[] { 9 }, Cancellation);
        var start = DateTimeOffset.UnixEpoch;
        var record = new SweepRecord("s", specification, specification, [input], WorkState.Done, start, SweepTrials.None);
        await new SweepStore(_objects).TryCreateAsync("s", record, Cancellation);
        Age("", hours: 3);

        Assert.Equal(new StoreMaintenance.Cleaned(Kept: 2, Removed: 1, Stages: 0), await CollectAsync(hours: 1));
        var findings = await StoreMaintenance.VerifyAsync(_objects, Cancellation);
        Assert.Equal(3, findings.Objects);
        Assert.Empty(findings.Damaged);
        Assert.Equal(["s"], await new SweepStore(_objects).ActiveAsync(Cancellation));

        File.Delete(Path.Combine(_folder, "artefacts", input));
        findings = await StoreMaintenance.VerifyAsync(_objects, Cancellation);
        Assert.Equal([$"artefacts/{input} (missing; sweeps/s refers to it)"], findings.Damaged);
        await File.WriteAllTextAsync(Path.Combine(_folder, "sweeps", "s"), "{", Cancellation);
        Assert.Equal(["sweeps/s"], (await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
        await Assert.ThrowsAsync<InvalidDataException>(() => CollectAsync(hours: 1));
    }

    /// <summary>The clean-up has read the manifests when a sweep is submitted that refers to a file of long ago.</summary>
    [Fact]
    public async Task An_artefact_that_is_renewed_while_a_clean_up_runs_stays()
    {
        var hash = await new ArtefactStore(_objects).WriteAsync(new byte[] { 5 }, Cancellation);
        Age("artefacts", hours: 48);
        var scanned = new PausingStore(_objects, beforeDeletion: async () =>
            Assert.NotNull(await new ArtefactStore(_objects).RenewAsync(hash, Cancellation)));

        var cleaned = await StoreMaintenance.CollectAsync(scanned, TimeSpan.FromHours(24), TimeProvider.System, Cancellation);

        Assert.Equal(0, cleaned.Removed);
        Assert.NotNull(await new ArtefactStore(_objects).ReadAsync(hash, Cancellation));
    }

    [Fact]
    public async Task What_was_written_before_counts_as_written_now_where_it_is_written_again()
    {
        var artefacts = new ArtefactStore(_objects);
        await artefacts.WriteAsync(new byte[] { 5 }, Cancellation);
        Age("artefacts", hours: 48);
        await artefacts.WriteAsync(new byte[] { 5 }, Cancellation);
        Assert.Equal(0, (await CollectAsync(hours: 24)).Removed);
    }

    /// <summary>An epoch of theirs may take longer than a clean-up waits.</summary>
    [Fact]
    public async Task Old_checkpoints_of_a_stage_that_a_running_sweep_needs_stay()
    {
        var plan = PlanSummary.Of(new SpecificationBuilder { Methods = "[scratch]" }.BuildPlan());
        var stage = plan.Stages[0].Key;
        var hash = await new ArtefactStore(_objects).WriteAsync(plan.Write(), Cancellation);
        var sweeps = new SweepStore(_objects);
        var record = new SweepRecord("s", hash, hash, [], WorkState.Running, DateTimeOffset.UnixEpoch, SweepTrials.None);
        var etag = await sweeps.TryCreateAsync("s", record, Cancellation);
        await new StageStore(_objects).Checkpoints(stage).SaveAsync([1], Cancellation);
        await new StageStore(_objects).Checkpoints("other").SaveAsync([1], Cancellation);
        Age("", hours: 48);

        Assert.Equal(1, (await CollectAsync(hours: 24)).Stages);
        Assert.Equal([1], await new StageStore(_objects).Checkpoints(stage).LoadAsync(Cancellation));

        await sweeps.TryReplaceAsync("s", record with { State = WorkState.Cancelled }, etag!, Cancellation);
        Assert.Equal(1, (await CollectAsync(hours: 24)).Stages);
        Assert.Null(await new StageStore(_objects).Checkpoints(stage).LoadAsync(Cancellation));
    }

    private Task<StoreMaintenance.Cleaned> CollectAsync(int hours) =>
        StoreMaintenance.CollectAsync(_objects, TimeSpan.FromHours(hours), TimeProvider.System, Cancellation);

    /// <summary>Makes everything below a folder look as if it was written so long ago.</summary>
    private void Age(string folder, int hours)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(_folder, folder), "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-hours));
    }

    private async Task FillAsync()
    {
        var output = new StageOutput(new Dictionary<string, byte[]> { ["a"] = [1] });
        await new StageStore(_objects).SaveAsync("key", "stage", output, Cancellation);
        await new CheckpointStore(_objects, "t").CommitAsync(null, new Dictionary<string, byte[]> { ["b"] = [2] }, Cancellation);
    }

    /// <summary>Pauses before the first deletion.</summary>
    private sealed class PausingStore(IObjectStore inner, Func<Task> beforeDeletion) : IObjectStore
    {
        public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) => inner.ReadAsync(name, cancellation);

        public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            inner.TryCreateAsync(name, content, cancellation);

        public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
            inner.GetPropertiesAsync(name, cancellation);

        public Task WriteAsync(string name, Stream content, CancellationToken cancellation) =>
            inner.WriteAsync(name, content, cancellation);

        public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
            inner.TryReplaceAsync(name, content, etag, cancellation);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) =>
            inner.ListAsync(prefix, cancellation);

        public async Task DeleteAsync(string name, CancellationToken cancellation)
        {
            await beforeDeletion();
            await inner.DeleteAsync(name, cancellation);
        }

        public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
        {
            await beforeDeletion();
            return await inner.TryDeleteAsync(listed, cancellation);
        }
    }
}

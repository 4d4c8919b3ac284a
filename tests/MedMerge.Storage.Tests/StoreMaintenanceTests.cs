using MedMerge.Experiments.Stages;
using MedMerge.Grains;

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
        var record = new SweepRecord("s", specification, specification, [input], WorkState.Done, DateTimeOffset.UnixEpoch, []);
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
}

using MedMerge.Experiments;

namespace MedMerge.Storage.Tests;

public sealed class StoreCareTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-care-").FullName;
    private readonly FolderObjectStore _objects;

    public StoreCareTests() => _objects = new FolderObjectStore(_folder);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Only_what_nobody_refers_to_and_is_old_enough_is_removed()
    {
        await FillAsync();
        await new ArtefactStore(_objects).WriteAsync(new byte[] { 42 }, Cancellation); // of a run that died before its manifest

        Assert.Equal(new StoreCare.Cleaned(Kept: 3, Removed: 0), await StoreCare.CollectAsync(_objects, TimeSpan.FromHours(1), TimeProvider.System, Cancellation));
        Assert.Equal(new StoreCare.Cleaned(Kept: 2, Removed: 1), await StoreCare.CollectAsync(_objects, TimeSpan.FromHours(-1), TimeProvider.System, Cancellation));

        Assert.NotNull(await new StageStore(_objects).FindAsync("key", Cancellation));
        Assert.NotNull(await new CheckpointStore(_objects, "t").LoadAsync(Cancellation));
        Assert.Empty((await StoreCare.VerifyAsync(_objects, Cancellation)).Damaged);
    }

    [Fact]
    public async Task All_damage_is_found_and_nothing_is_removed_beside_a_damaged_manifest()
    {
        await FillAsync();
        var artefact = Directory.GetFiles(Path.Combine(_folder, "artefacts")).First();
        await File.AppendAllTextAsync(artefact, "x", Cancellation);
        var manifest = Path.Combine(_folder, "stages", "key");
        await File.WriteAllTextAsync(manifest, "{", Cancellation);

        var findings = await StoreCare.VerifyAsync(_objects, Cancellation);
        Assert.Equal(4, findings.Objects);
        Assert.Equal(["artefacts/" + Path.GetFileName(artefact), "stages/key"], findings.Damaged);
        await Assert.ThrowsAsync<InvalidDataException>(() => StoreCare.CollectAsync(_objects, TimeSpan.FromHours(-1), TimeProvider.System, Cancellation));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_folder, "artefacts")).Length);
    }

    [Fact]
    public async Task A_missing_artefact_is_named_with_who_needs_it()
    {
        await FillAsync();
        Directory.GetFiles(Path.Combine(_folder, "artefacts")).ToList().ForEach(File.Delete);
        var findings = await StoreCare.VerifyAsync(_objects, Cancellation);
        Assert.Equal(2, findings.Damaged.Count);
        Assert.Contains(findings.Damaged, damaged => damaged.EndsWith("(missing; stages/key refers to it)", StringComparison.Ordinal));
    }

    private async Task FillAsync()
    {
        await new StageStore(_objects).SaveAsync("key", "stage", new StageOutput(new Dictionary<string, byte[]> { ["a"] = [1] }), Cancellation);
        await new CheckpointStore(_objects, "t").CommitAsync(null, new Dictionary<string, byte[]> { ["b"] = [2] }, Cancellation);
    }
}

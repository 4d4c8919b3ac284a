using MedMerge.Experiments.Stages;
using MedMerge.Storage.Tests.Faults;
using MedMerge.Testing;
using MedMerge.Training;

namespace MedMerge.Storage.Tests;

public sealed class StageStoreTests : IDisposable
{
    private const string Key = "0123abcd";
    private static readonly StageOutput Output = new(new Dictionary<string, byte[]> { ["model"] = [1, 2, 3, 4], ["history"] = [9] });
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-stages-").FullName;
    private readonly StageStore _store;

    public StageStoreTests() => _store = new StageStore(new FolderObjectStore(_folder));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_output_comes_back_whole()
    {
        Assert.Null(await _store.FindAsync(Key, Cancellation));
        await _store.SaveAsync(Key, "fine-tune", Output, Cancellation);
        await _store.SaveAsync(Key, "fine-tune", Output, Cancellation); // a second run of the same stage
        var found = await _store.FindAsync(Key, Cancellation);
        Assert.Equal(Output["model"], found!["model"]);
        Assert.Equal(2, found.Files.Count);
        Assert.Equal([Key], await _store.KeysAsync(Cancellation));
    }

    [Fact]
    public async Task Every_cut_and_every_flipped_bit_is_noticed_and_mended_by_computing_again()
    {
        await _store.SaveAsync(Key, "fine-tune", Output, Cancellation);
        foreach (var file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > 0))
        {
            var whole = await File.ReadAllBytesAsync(file, Cancellation);
            for (var length = 0; length < whole.Length; length++) await Damaged(whole[..length]);
            for (var bit = 0; bit < whole.Length * 8; bit++)
            {
                var flipped = whole.ToArray();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                await Damaged(flipped);
            }

            async Task Damaged(byte[] content)
            {
                await File.WriteAllBytesAsync(file, content, Cancellation);
                Assert.Null(await _store.FindAsync(Key, Cancellation));
                await _store.SaveAsync(Key, "fine-tune", Output, Cancellation);
                Assert.Equal(whole, await File.ReadAllBytesAsync(file, Cancellation));
            }
        }
        Assert.Equal(Output["history"], (await _store.FindAsync(Key, Cancellation))!["history"]);
    }

    [Fact]
    public async Task How_long_a_stage_took_is_known_without_its_files_and_stays_that_of_the_first_run()
    {
        var timing = new StageTiming(12.5, IsResumed: true, "a processor", Nodes: 2);
        await _store.SaveAsync(Key, "fine-tune", new StageOutput(Output.Files) { Timing = timing }, Cancellation);
        await _store.SaveAsync(Key, "fine-tune", new StageOutput(Output.Files) { Timing = timing with { Seconds = 1 } }, Cancellation);
        Assert.Equal(timing, (await _store.FindAsync(Key, Cancellation))!.Timing);
        Directory.Delete(Path.Combine(_folder, "artefacts"), recursive: true);

        Assert.Equal(timing, await _store.FindTimingAsync(Key, Cancellation));
        Assert.Null(await _store.FindTimingAsync("other", Cancellation));
    }

    [Fact]
    public async Task A_list_of_a_version_that_did_not_measure_has_no_timing()
    {
        var artefact = await new ArtefactStore(new FolderObjectStore(_folder)).WriteAsync(Output["history"], Cancellation);
        var old = Manifest.Write("stage", "", new { Stage = "merge", Files = new Dictionary<string, string> { ["history"] = artefact } });
        await new FolderObjectStore(_folder).TryCreateAsync(StageStore.Prefix + Key, old, Cancellation);

        Assert.Equal(Output["history"], (await _store.FindAsync(Key, Cancellation))!["history"]);
        Assert.Null(await _store.FindTimingAsync(Key, Cancellation));
        await _store.SaveAsync("new", "merge", new StageOutput(new Dictionary<string, byte[]> { ["history"] = [9] }), Cancellation);
        Assert.Equal(old, (await new FolderObjectStore(_folder).ReadAsync(StageStore.Prefix + "new", Cancellation))!.Content);
    }

    [Fact]
    public async Task Of_two_that_finish_a_stage_the_first_is_kept()
    {
        await _store.SaveAsync(Key, "fine-tune", Output, Cancellation);
        var other = new StageOutput(new Dictionary<string, byte[]> { ["model"] = [7], ["history"] = [8] });
        await _store.SaveAsync(Key, "fine-tune", other, Cancellation);
        Assert.Equal(Output["model"], (await _store.FindAsync(Key, Cancellation))!["model"]);
    }

    [Fact]
    public async Task One_file_of_an_output_is_read_without_the_others()
    {
        await _store.SaveAsync(Key, "merge", Output, Cancellation);
        var reads = new List<string>();
        var faulty = new FaultyObjectStore(new FolderObjectStore(_folder), (call, _) =>
        {
            reads.Add(call);
            return Fault.None;
        });

        Assert.Equal(Output["history"], await new StageStore(faulty).GetFileAsync(Key, "history", Cancellation));

        var history = $"read {ArtefactStore.Prefix}{ContentHash.Of(Output["history"])}";
        Assert.Equal([$"read {StageStore.Prefix}{Key}", history], reads);
        await Assert.ThrowsAsync<MissingOutputException>(() => _store.GetFileAsync(Key, "certificate", Cancellation));
    }

    [Fact]
    public async Task Clearing_leaves_the_checkpoints_of_a_process_that_took_over()
    {
        var first = _store.Checkpoints(Key);
        await first.SaveAsync([1], Cancellation);
        var second = _store.Checkpoints(Key);
        await second.LoadAsync(Cancellation);
        await second.SaveAsync([2], Cancellation);

        await first.ClearAsync(Cancellation);
        Assert.Equal([2], await _store.Checkpoints(Key).LoadAsync(Cancellation));

        await second.ClearAsync(Cancellation);
        Assert.Null(await _store.Checkpoints(Key).LoadAsync(Cancellation));
        await _store.Checkpoints(Key).SaveAsync([3], Cancellation); // the stage runs once more: its output was lost
        Assert.Equal([3], await _store.Checkpoints(Key).LoadAsync(Cancellation));
    }

    [Fact]
    public async Task Progress_differs_after_every_checkpoint_and_after_every_finished_stage()
    {
        const int Checkpoints = 4;
        var seen = new List<StoredProgress> { await _store.ProgressAsync([Key, "other"], Cancellation) };
        var checkpoints = _store.Checkpoints(Key);
        for (var number = 0; number < Checkpoints; number++)
        {
            await checkpoints.SaveAsync([1], Cancellation); // old ones are removed meanwhile
            seen.Add(await _store.ProgressAsync([Key, "other"], Cancellation));
        }
        await _store.SaveAsync(Key, "fine-tune", Output, Cancellation);
        await checkpoints.ClearAsync(Cancellation);
        seen.Add(await _store.ProgressAsync([Key, "other"], Cancellation));

        Assert.Equal(Enumerable.Range(0, Checkpoints + 1).Select(number => new StoredProgress(0, number)), seen.SkipLast(1));
        Assert.Equal(new StoredProgress(Outputs: 1, Checkpoints: 0), seen[^1]);

        await _store.ForgetAsync(Key, Cancellation); // lost: it is computed again, from the start
        Assert.Equal(new StoredProgress(Outputs: 0, Checkpoints: 0), await _store.ProgressAsync([Key, "other"], Cancellation));
    }

    [Fact]
    public async Task States_under_way_come_back_and_leave_nothing_behind()
    {
        var checkpoints = _store.Checkpoints(Key);
        Assert.Null(await checkpoints.LoadAsync(Cancellation));
        for (byte i = 1; i <= 5; i++) await checkpoints.SaveAsync([i, i], Cancellation);
        Assert.Equal([5, 5], await _store.Checkpoints(Key).LoadAsync(Cancellation));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_folder, "artefacts")).Length); // the last two

        var again = _store.Checkpoints(Key);
        await again.LoadAsync(Cancellation);
        await again.SaveAsync([6, 6], Cancellation);
        // A second process that lost the race stops.
        await Assert.ThrowsAsync<ConcurrentWriterException>(() => checkpoints.SaveAsync([99, 99], Cancellation));
        Assert.Equal([6, 6], await _store.Checkpoints(Key).LoadAsync(Cancellation));

        await again.ClearAsync(Cancellation);
        Assert.Null(await _store.Checkpoints(Key).LoadAsync(Cancellation));
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "artefacts"))); // the loser's, for gc
        var left = Assert.Single(Directory.GetFiles(Path.Combine(_folder, "checkpoints"), "*", SearchOption.AllDirectories));
        Assert.Equal("pointer", Path.GetFileName(left)); // marked as cleared, for gc
    }

    [Fact]
    public async Task Where_every_state_is_damaged_the_stage_starts_over_and_the_log_says_so()
    {
        var checkpoints = _store.Checkpoints(Key);
        await checkpoints.SaveAsync([1], Cancellation);
        Directory.GetFiles(Path.Combine(_folder, "artefacts")).ToList().ForEach(file => File.WriteAllBytes(file, [0]));
        var log = new RecordingLogger();
        var again = new StageStore(new FolderObjectStore(_folder), log.CreateLogger<StageStore>()).Checkpoints(Key);
        Assert.Null(await again.LoadAsync(Cancellation));
        Assert.IsType<InvalidDataException>(Assert.Single(log.Lines).Error);
        await again.SaveAsync([2], Cancellation);
        Assert.Equal([2], await _store.Checkpoints(Key).LoadAsync(Cancellation));
    }
}

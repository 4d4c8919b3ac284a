using System.Text;
using MedMerge.Storage.Tests.Faults;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

public sealed class CheckpointStoreTests(AzuriteServer azurite) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-checkpoints-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_last_commit_is_what_is_loaded()
    {
        var store = new CheckpointStore(Folder("a"), "stage-1");
        Assert.Null(await store.LoadAsync(Cancellation));
        var first = await store.CommitAsync(null, State(1), Cancellation);
        var second = await store.CommitAsync(first, State(2), Cancellation);
        var loaded = await new CheckpointStore(Folder("a"), "stage-1").LoadAsync(Cancellation);
        Assert.Equal((2, "state 2"), (loaded!.Number, Text(loaded)));
        Assert.Equal(second!.Fence, loaded.Fence);
        Assert.Null(await new CheckpointStore(Folder("a"), "stage-2").LoadAsync(Cancellation));
    }

    [Fact]
    public async Task Who_was_cut_off_commits_nothing()
    {
        var store = new CheckpointStore(Folder("a"), "t");
        var first = await store.CommitAsync(null, State(1), Cancellation);
        var other = new CheckpointStore(Folder("a"), "t"); // takes over while the first is stopped
        var second = await other.CommitAsync(await other.LoadAsync(Cancellation), State(2), Cancellation);

        Assert.Null(await store.CommitAsync(first, State(99), Cancellation));
        Assert.Null(await store.CommitAsync(null, State(99), Cancellation));
        Assert.Equal("state 2", Text((await store.LoadAsync(Cancellation))!));
        Assert.NotNull(await other.CommitAsync(second, State(3), Cancellation));
    }

    [Fact]
    public async Task Of_two_who_commit_at_once_one_wins()
    {
        for (var round = 0; round < 10; round++)
        {
            var objects = Folder($"race{round}");
            var first = await new CheckpointStore(objects, "t").CommitAsync(null, State(1), Cancellation);
            var commits = Enumerable.Range(2, 6).Select(i => new CheckpointStore(objects, "t").CommitAsync(first, State(i), Cancellation));
            var both = await Task.WhenAll(commits);
            var won = Assert.Single(both.OfType<Checkpoint>());
            Assert.Equal(Text(won), Text((await new CheckpointStore(objects, "t").LoadAsync(Cancellation))!));
        }
    }

    /// <summary>
    /// Killed at every call, before it took effect and after: what is loaded is the state before or the one after,
    /// whole; and it goes on.
    /// </summary>
    [Theory]
    [InlineData(Fault.Refused)]
    [InlineData(Fault.AnswerLost)]
    public async Task Killed_at_any_point_of_a_commit_nothing_is_lost(Fault fault)
    {
        var seen = new List<string>();
        for (var call = 1; ; call++)
        {
            var objects = Folder($"kill-{fault}-{call}");
            var first = await new CheckpointStore(objects, "t").CommitAsync(null, State(1), Cancellation);
            var dying = new FaultyObjectStore(objects, (_, number) => number == call ? fault : Fault.None);
            var died = false;
            try
            {
                await new CheckpointStore(dying, "t").CommitAsync(first, State(2), Cancellation);
            }
            catch (ServiceFaultException)
            {
                died = true;
            }
            var after = new CheckpointStore(objects, "t");
            var loaded = (await after.LoadAsync(Cancellation))!;
            seen.Add(Text(loaded));
            Assert.Equal(loaded.Number == 1 ? "state 1" : "state 2", Text(loaded));
            var next = await after.CommitAsync(loaded, State(3), Cancellation);
            Assert.Equal((loaded.Number + 1, "state 3"), (next!.Number, Text((await after.LoadAsync(Cancellation))!)));
            if (!died) break;
        }
        Assert.Contains("state 1", seen);
        Assert.Contains("state 2", seen);
        Assert.Equal(5, seen.Count); // killed at the artefact, the pointer's reading, the manifest, the pointer; and not at all
    }

    /// <summary>
    /// Every object of the newest checkpoint, cut at every byte and with every bit flipped: never accepted, the
    /// previous one is used.
    /// </summary>
    [Fact]
    public async Task A_torn_checkpoint_is_never_accepted_and_the_previous_one_is_used()
    {
        var objects = Folder("torn");
        var store = new CheckpointStore(objects, "t");
        var first = await store.CommitAsync(null, State(1), Cancellation);
        var before = FilesBelow("torn");
        await store.CommitAsync(first, State(2), Cancellation);
        // The store makes its lock when it first replaces.
        var newFiles = FilesBelow("torn").Except(before).Where(file => !file.Contains(".locks", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, newFiles.Count); // one artefact and one manifest; the pointer was replaced
        var tried = 0;
        foreach (var file in newFiles)
        {
            var whole = await File.ReadAllBytesAsync(file, Cancellation);
            var damages = Enumerable.Range(0, whole.Length).Select(length => whole[..length])
                .Concat(Enumerable.Range(0, whole.Length * 8).Select(bit =>
                {
                    var flipped = whole.ToArray();
                    flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                    return flipped;
                }));
            foreach (var damaged in damages)
            {
                await File.WriteAllBytesAsync(file, damaged, Cancellation);
                Assert.Equal("state 1", Text((await store.LoadAsync(Cancellation))!));
                tried++;
            }
            File.Delete(file);
            Assert.Equal("state 1", Text((await store.LoadAsync(Cancellation))!));
            await File.WriteAllBytesAsync(file, whole, Cancellation);
            Assert.Equal("state 2", Text((await store.LoadAsync(Cancellation))!));
        }
        Assert.True(tried > 1000);
    }

    [Fact]
    public async Task A_torn_pointer_leads_to_the_newest_checkpoint_and_the_next_commit_mends_it()
    {
        var store = new CheckpointStore(Folder("pointer"), "t");
        await store.CommitAsync(await store.CommitAsync(null, State(1), Cancellation), State(2), Cancellation);
        var pointer = Path.Combine(_folder, "pointer", "checkpoints", "t", "pointer");
        var whole = await File.ReadAllBytesAsync(pointer, Cancellation);
        for (var length = 0; length < whole.Length; length++)
        {
            await File.WriteAllBytesAsync(pointer, whole[..length], Cancellation);
            var loaded = (await store.LoadAsync(Cancellation))!;
            Assert.Equal("state 2", Text(loaded));
        }
        Assert.NotNull(await store.CommitAsync(await store.LoadAsync(Cancellation), State(3), Cancellation));
        Assert.Equal("state 3", Text((await store.LoadAsync(Cancellation))!));
    }

    /// <summary>Processes that lost the race for the pointer leave manifests whose names may sort after the winner's.</summary>
    [Fact]
    public async Task Pruning_keeps_the_checkpoint_that_the_pointer_names_whatever_the_losers_left()
    {
        var store = new CheckpointStore(Folder("prune"), "t");
        var first = await store.CommitAsync(null, State(1), Cancellation);
        var second = await store.CommitAsync(first, State(2), Cancellation);
        for (var loser = 0; loser < 8; loser++)
        {
            // Its conditional write fails, as if the pointer had been moved between its reading and its writing.
            var late = new FaultyObjectStore(Folder("prune"), (call, _) => call.StartsWith("replace", StringComparison.Ordinal)
                ? Fault.Refused
                : Fault.None);
            await Assert.ThrowsAsync<ServiceFaultException>(
                () => new CheckpointStore(late, "t").CommitAsync(second, State(100 + loser), Cancellation));
        }
        await store.CommitAsync(second, State(3), Cancellation);

        await store.PruneAsync(kept: 2, Cancellation);

        Assert.Equal("state 3", Text((await store.LoadAsync(Cancellation))!));
        Assert.Equal(2, FilesBelow("prune").Count(file => Path.GetFileName(file).StartsWith('0')));
        Assert.Empty((await StoreMaintenance.VerifyAsync(Folder("prune"), Cancellation)).Damaged);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public async Task Faults_of_the_service_lose_and_double_nothing(double rate)
    {
        var objects = Folder($"rate{rate}");
        await CommitManyAsync(FaultyObjectStore.AtRate(objects, rate, seed: (ulong)(rate * 100)), objects, commits: 60);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public async Task Faults_between_here_and_a_real_service_lose_and_double_nothing(double rate)
    {
        var direct = await azurite.OpenAsync(); // skips where there is none
        _ = direct;
        await using var proxy = new FaultyProxy(azurite.Address, rate, seed: (ulong)(rate * 100));
        var through = await AttemptAsync(() => azurite.OpenAsync(proxy.Address));
        await CommitManyAsync(through, through, commits: 40);
        Assert.True(rate < 0.05 || proxy.Faults > 0);
        TestContext.Current.SendDiagnosticMessage($"{proxy.Faults} faults at {rate:P0}");
    }

    /// <summary>
    /// A trial that is started again after every failure and counts its states one by one: no number may be lost, none
    /// doubled.
    /// </summary>
    private static async Task CommitManyAsync(IObjectStore faulty, IObjectStore reader, int commits)
    {
        var store = new CheckpointStore(faulty, "t");
        var reached = 0;
        for (var attempts = 0; reached < commits; attempts++)
        {
            Assert.True(attempts < commits * 20, $"Only {reached} commits after {attempts} attempts.");
            try
            {
                var current = await store.LoadAsync(Cancellation);
                Assert.Equal(current is null ? 0 : current.Number, current is null ? 0 : Number(current));
                Assert.True((current?.Number ?? 0) >= reached, "A commit was lost.");
                reached = current?.Number ?? 0;
                while (reached < commits && await store.CommitAsync(current, State(reached + 1), Cancellation) is { } next)
                {
                    Assert.Equal(reached + 1, next.Number);
                    (current, reached) = (next, next.Number);
                }
            }
            catch (Exception error) when (IsTransient(error) || error is AggregateException)
            {
                // what a trial sees as transient: it loads the checkpoint and continues
            }
        }
        var last = await AttemptAsync(() => new CheckpointStore(reader, "t").LoadAsync(Cancellation));
        Assert.Equal((commits, $"state {commits}"), (last!.Number, Text(last)));
    }

    private static bool IsTransient(Exception error) =>
        error is ServiceFaultException or InvalidDataException or Azure.RequestFailedException;

    private static async Task<T> AttemptAsync<T>(Func<Task<T>> action)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await action();
            }
            catch (Exception error) when (attempt < 20 && (IsTransient(error) || error is InputException))
            {
                // again
            }
        }
    }

    private FolderObjectStore Folder(string name) => new(Path.Combine(_folder, name));

    private List<string> FilesBelow(string name) => [.. Directory.GetFiles(Path.Combine(_folder, name), "*", SearchOption.AllDirectories)];

    private static Dictionary<string, byte[]> State(int number) => new() { ["state"] = Encoding.UTF8.GetBytes($"state {number}") };

    private static string Text(Checkpoint checkpoint) => Encoding.UTF8.GetString(checkpoint.Files["state"]);

    private static int Number(Checkpoint checkpoint) => int.Parse(Text(checkpoint)[6..], System.Globalization.CultureInfo.InvariantCulture);
}

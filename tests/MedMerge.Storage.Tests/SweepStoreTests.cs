using System.Text;
using MedMerge.Grains;
using MedMerge.Storage.Tests.Faults;

namespace MedMerge.Storage.Tests;

public sealed class SweepStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-sweeps-").FullName;
    private readonly FolderObjectStore _objects;
    private readonly SweepStore _sweeps;

    public SweepStoreTests()
    {
        _objects = new FolderObjectStore(_folder);
        _sweeps = new SweepStore(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_sweep_is_kept_once_and_comes_back_whole()
    {
        Assert.Null(await _sweeps.FindAsync("s", Cancellation));
        var record = Record(WorkState.Running) with
        {
            Trials = SweepTrials.Create([new TrialRecord(WorkState.Running, 2, 1, 1, "why") { Nodes = ["b", "a"] }, TrialRecord.Unknown]),
            Limits = new SweepLimits(Parallel: 3, DeviceHours: 0.5),
            DeviceSeconds = 1.5,
            Revision = 1,
        };
        var etag = await _sweeps.TryCreateAsync("s", record, Cancellation);
        Assert.Null(await _sweeps.TryCreateAsync("s", Record(WorkState.Done), Cancellation));
        var found = (await _sweeps.FindAsync("s", Cancellation))!.Value;
        Assert.Equal(etag, found.ETag);
        Assert.Equivalent(record.Trials.ToList(), found.Record.Trials.ToList(), strict: true);
        Assert.Equal(record.Trials.Counts, found.Record.Trials.Counts);
        Assert.Equal(record with { Inputs = found.Record.Inputs, Trials = found.Record.Trials }, found.Record);
        Assert.Equal(["s"], await _sweeps.ListAsync(Cancellation));
    }

    [Fact]
    public async Task Who_was_outpaced_changes_nothing()
    {
        var first = (await _sweeps.TryCreateAsync("s", Record(WorkState.Running), Cancellation))!;
        var second = await _sweeps.TryReplaceAsync("s", Record(WorkState.Paused), first, Cancellation);
        Assert.NotNull(second);
        Assert.Null(await _sweeps.TryReplaceAsync("s", Record(WorkState.Done), first, Cancellation));
        Assert.Equal(WorkState.Paused, (await _sweeps.FindAsync("s", Cancellation))!.Value.Record.State);
        // The same again is a change too.
        Assert.NotNull(await _sweeps.TryReplaceAsync("s", Record(WorkState.Paused), second.Value.ETag, Cancellation));
        Assert.Null(await _sweeps.TryReplaceAsync("s", Record(WorkState.Paused), second.Value.ETag, Cancellation));
        Assert.Null(await _sweeps.TryReplaceAsync("other", Record(WorkState.Done), first, Cancellation));
    }

    /// <summary>
    /// The client tries again after a lost answer and is told that the name is taken, or the ETag gone: by its own
    /// write.
    /// </summary>
    [Fact]
    public async Task A_write_whose_answer_was_lost_is_known_again()
    {
        var sweeps =
            new SweepStore(new RetryingStore(new FaultyObjectStore(_objects, (_, call) => call % 2 == 1 ? Fault.AnswerLost : Fault.None)));
        var first = await sweeps.TryCreateAsync("s", Record(WorkState.Running), Cancellation);
        Assert.Equal(first, (await _sweeps.FindAsync("s", Cancellation))!.Value.ETag);
        var second = await sweeps.TryReplaceAsync("s", Record(WorkState.Done), first!, Cancellation);
        var found = (await _sweeps.FindAsync("s", Cancellation))!.Value;
        Assert.Equal((second!.Value.ETag, WorkState.Done), (found.ETag, found.Record.State));
    }

    [Fact]
    public async Task Active_sweeps_are_those_marked()
    {
        await _sweeps.TryCreateAsync("a", Record(WorkState.Running), Cancellation);
        await _sweeps.TryCreateAsync("b", Record(WorkState.Running), Cancellation);
        Assert.Equal(["a", "b"], await _sweeps.ActiveAsync(Cancellation));
        await _sweeps.UnmarkAsync("a", Cancellation);
        await _sweeps.UnmarkAsync("a", Cancellation);
        Assert.Equal(["b"], await _sweeps.ActiveAsync(Cancellation));
        await _sweeps.MarkAsync("a", Cancellation);
        await _sweeps.MarkAsync("a", Cancellation);
        Assert.Equal(["a", "b"], await _sweeps.ActiveAsync(Cancellation));
        Assert.Equal(["a", "b"], await _sweeps.ListAsync(Cancellation));
    }

    [Fact]
    public async Task A_damaged_record_is_an_error_not_a_new_sweep()
    {
        await _sweeps.TryCreateAsync("s", Record(WorkState.Running), Cancellation);
        await File.AppendAllTextAsync(Path.Combine(_folder, "sweeps", "s"), " ", Cancellation);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => _sweeps.FindAsync("s", Cancellation));
        Assert.Contains("'s' is damaged", error.Message, StringComparison.Ordinal);
        Assert.Null(SweepStore.ArtefactsOf(await File.ReadAllBytesAsync(Path.Combine(_folder, "sweeps", "s"), Cancellation)));
    }

    [Fact]
    public async Task A_record_has_its_states_by_name_and_nothing_that_is_computed()
    {
        var record = Record(WorkState.Running) with { Trials = SweepTrials.Create(Ended) };
        await _sweeps.TryCreateAsync("s", record, Cancellation);
        var text = Encoding.UTF8.GetString((await _objects.ReadAsync("sweeps/s", Cancellation))!.Content);
        Assert.EndsWith(
            """
            "body":{"name":"name","specification":"spec","plan":"plan","inputs":["one","two"],"state":"Running",
            "submitted":"1970-01-01T00:00:00+00:00","counts":{"waiting":0,"running":0,"done":0,"stoppedEarly":0,"cancelled":0,
            "quarantined":0,"failedTransient":0,"failedPermanent":1,"failedNodeBad":0},"segments":[],"nodes":[],
            "recent":{"1":{"state":"Failed","attempt":1,"reason":"why","kind":"Permanent","trace":"trace"}},
            "reason":null,"trace":null,"owner":null,"limits":null,"deviceSeconds":0,"revision":0}}
            """.ReplaceLineEndings(""), text, StringComparison.Ordinal);
    }

    private static readonly IReadOnlyList<TrialRecord> Ended =
        [TrialRecord.Waiting("trace").Started("trace").Failed(FailureKind.Permanent, "why")];

    private static SweepRecord Record(WorkState state) =>
        new("name", "spec", "plan", ["one", "two"], state, DateTimeOffset.UnixEpoch, SweepTrials.None);

    /// <summary>Tries a failed call once more, as the clients of blob services do.</summary>
    private sealed class RetryingStore(IObjectStore inner) : IObjectStore
    {
        public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) =>
            TwiceAsync(() => inner.ReadAsync(name, cancellation));

        public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            TwiceAsync(() => inner.TryCreateAsync(name, content, cancellation));

        public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
            inner.GetPropertiesAsync(name, cancellation);

        public Task WriteAsync(string name, Stream content, CancellationToken cancellation) =>
            inner.WriteAsync(name, content, cancellation);

        public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
            TwiceAsync(() => inner.TryReplaceAsync(name, content, etag, cancellation));

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) =>
            inner.ListAsync(prefix, cancellation);

        public Task DeleteAsync(string name, CancellationToken cancellation) => inner.DeleteAsync(name, cancellation);

        public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
            inner.TryDeleteAsync(listed, cancellation);

        private static async Task<T> TwiceAsync<T>(Func<Task<T>> call)
        {
            try
            {
                return await call();
            }
            catch (ServiceFaultException)
            {
                return await call();
            }
        }
    }
}

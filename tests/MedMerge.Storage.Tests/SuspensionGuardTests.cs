using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Storage.Tests;

public sealed class SuspensionGuardTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2), Deadline = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-guard-").FullName;
    private readonly WatchedTime _time = new();
    private readonly SuspensionGuard _guard;
    private readonly GuardedObjectStore _store;

    public SuspensionGuardTests()
    {
        _guard = new SuspensionGuard(Limit, _time);
        _store = new GuardedObjectStore(new FolderObjectStore(_folder), _guard);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _guard.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_process_that_is_awake_writes()
    {
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(Limit);
            Assert.True(_guard.Beat());
        }
        var etag = await _store.TryCreateAsync("a", new byte[] { 1 }, Cancellation);
        Assert.NotNull(await _store.TryReplaceAsync("a", new byte[] { 2 }, etag!, Cancellation));
        await _store.DeleteAsync("a", Cancellation);
        Assert.False(_guard.Tripped.IsCancellationRequested);
    }

    /// <summary>Nothing has beaten since it woke: the write itself finds the gap.</summary>
    [Theory]
    [InlineData("create")]
    [InlineData("replace")]
    [InlineData("delete")]
    public async Task Who_wakes_before_the_thread_that_beats_writes_nothing(string write)
    {
        var etag = await _store.TryCreateAsync("a", new byte[] { 1 }, Cancellation);
        _time.Advance(Limit + TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAsync<ProcessFencedException>(() => write switch
        {
            "create" => _store.TryCreateAsync("b", new byte[] { 2 }, Cancellation),
            "replace" => _store.TryReplaceAsync("a", new byte[] { 2 }, etag!, Cancellation),
            _ => _store.DeleteAsync("a", Cancellation),
        });
        Assert.True(_guard.Tripped.IsCancellationRequested);
        Assert.Equal([1], (await _store.ReadAsync("a", Cancellation))!.Content);
        Assert.Null(await _store.ReadAsync("b", Cancellation));
    }

    [Fact]
    public async Task It_trips_for_good_and_tells_once()
    {
        var told = 0;
        _guard.Tripped.Register(() => told++);
        _time.Advance(Limit * 2);
        Assert.False(_guard.Beat());
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.False(_guard.Beat());
            await Assert.ThrowsAsync<ProcessFencedException>(() => _store.TryCreateAsync("a", new byte[] { 1 }, Cancellation));
        }
        Assert.Equal(1, told);
        _guard.Tripped.Register(() => told++); // who comes late hears of it too
        Assert.Equal(2, told);
    }

    [Fact]
    public async Task Its_thread_beats_without_being_asked()
    {
        _time.Advance(Limit * 2);
        _guard.Start(); // from here on it counts
        for (var i = 0; i < 3; i++)
        {
            await _time.AskedAsync().WaitAsync(Deadline, Cancellation);
            _time.Advance(Limit * 0.6);
        }
        Assert.False(_guard.Tripped.IsCancellationRequested);
        var tripped = new TaskCompletionSource();
        _guard.Tripped.Register(tripped.SetResult);
        _time.Advance(Limit * 2);
        await tripped.Task.WaitAsync(Deadline, Cancellation);
        await Assert.ThrowsAsync<ProcessFencedException>(() => _store.TryCreateAsync("a", new byte[] { 1 }, Cancellation));
    }

    /// <summary>Tells when the clock was read, which only the beating thread does without being asked.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        private TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>
        /// Ends when it is read for the second time from now: by then whatever follows the first has happened.
        /// </summary>
        public async Task AskedAsync()
        {
            for (var i = 0; i < 2; i++)
            {
                var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Volatile.Write(ref _asked, asked);
                await asked.Task;
            }
        }

        public override long GetTimestamp()
        {
            var now = base.GetTimestamp();
            Volatile.Read(ref _asked).TrySetResult();
            return now;
        }
    }
}

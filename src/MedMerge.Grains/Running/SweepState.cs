using MedMerge.Storage;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>
/// A sweep's record with its ETag. Every change is in the store before it takes effect, and wakes those who wait for
/// one.
/// </summary>
internal sealed class SweepState(string id, SweepRecord record, string etag, SweepStore sweeps, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _write = new(1, 1);
    private SweepRecord _record = record;
    private string _etag = etag;
    private long _written = time.GetTimestamp();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version;

    /// <summary>The sweep's id.</summary>
    public string Id => id;

    /// <summary>The record, as it is in the store.</summary>
    public SweepRecord Record
    {
        get
        {
            lock (_gate) return _record;
        }
    }

    /// <summary>The record's ETag.</summary>
    public string ETag
    {
        get
        {
            lock (_gate) return _etag;
        }
    }

    /// <summary>How long the record has not been written.</summary>
    public TimeSpan TimeSinceWrite => time.GetElapsedTime(Interlocked.Read(ref _written));

    /// <summary>Grows with every change.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Whether another process has changed the record: it must be loaded again.</summary>
    public bool IsStale { get; private set; }

    /// <summary>A trial's record.</summary>
    /// <param name="number">From 1.</param>
    public TrialRecord Trial(int number) => Record.Trials[number - 1];

    /// <summary>Changes a trial's record.</summary>
    /// <inheritdoc cref="WriteAsync" />
    public Task WriteTrialAsync(int number, Func<TrialRecord, TrialRecord> change) =>
        WriteAsync(current => current.WithTrial(number, change));

    /// <summary>Changes the record.</summary>
    /// <exception cref="ConcurrentWriterException">Another process has changed it.</exception>
    public async Task WriteAsync(Func<SweepRecord, SweepRecord> change)
    {
        await _write.WaitAsync().ConfigureAwait(false);
        try
        {
            var next = change(Record);
            var written = await sweeps.TryReplaceAsync(id, next, _etag, CancellationToken.None).ConfigureAwait(false);
            if (written is null)
            {
                IsStale = true;
                throw new ConcurrentWriterException($"Another process has changed sweep '{id}'.");
            }
            lock (_gate)
            {
                _record = next;
                _etag = written;
            }
            Interlocked.Exchange(ref _written, time.GetTimestamp());
        }
        finally
        {
            _write.Release();
        }
        NotifyChanged();
    }

    /// <summary>Wakes those who wait for a change, of the record or of a running trial.</summary>
    public void NotifyChanged()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _version++;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.TrySetResult();
    }

    /// <summary>Waits until the version is another one, or the time is up.</summary>
    public Task WaitAsync(long knownVersion, TimeSpan timeout)
    {
        Task changed;
        lock (_gate) changed = knownVersion == _version ? _changed.Task : Task.CompletedTask;
        return Task.WhenAny(changed, Task.Delay(timeout, time));
    }
}

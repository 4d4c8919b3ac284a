using MedMerge.Storage;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>
/// A sweep's record with its ETag. Every change is in the store before it takes effect, and wakes those who wait for
/// one. Changes that come while one is written are written together.
/// </summary>
internal sealed class SweepState(string id, SweepRecord record, string etag, SweepStore sweeps, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<PendingChange> _pending = [];
    private readonly TrialVersions _trials = new();
    private bool _isWriting;
    private SweepRecord _record = record;
    private string _etag = etag;
    private long _written = time.GetTimestamp();
    private TaskCompletionSource _changed = NewSignal();
    private TaskCompletionSource _stateChanged = NewSignal();
    private long _version;

    /// <summary>The sweep's id.</summary>
    public string Id => id;

    /// <summary>Another one each time that the sweep is loaded: positions of changes begin anew.</summary>
    public Guid Activation { get; } = Guid.NewGuid();

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

    /// <summary>Completes with the next change of the record.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate) return _changed.Task;
        }
    }

    /// <summary>A trial's record.</summary>
    /// <param name="number">From 1.</param>
    public TrialRecord Trial(int number) => Record.Trials.Get(number);

    /// <summary>The position of the last change of a trial.</summary>
    public long LastChange
    {
        get
        {
            lock (_gate) return _trials.Last;
        }
    }

    /// <inheritdoc cref="TrialVersions.After" />
    public IReadOnlyList<int> ChangedAfter(long position, int count, out long next)
    {
        lock (_gate) return _trials.After(position, count, out next);
    }

    /// <summary>Changes a trial's record.</summary>
    /// <inheritdoc cref="WriteAsync" />
    public Task WriteTrialAsync(int number, Func<TrialRecord, TrialRecord> change) =>
        WriteAsync(current => current.WithTrial(number, change));

    /// <summary>Changes the record; returns when the change is in the store, or at once where there is none.</summary>
    /// <param name="change">Gives the same object where there is nothing to change.</param>
    /// <exception cref="ConcurrentWriterException">Another process has changed it.</exception>
    public Task WriteAsync(Func<SweepRecord, SweepRecord> change)
    {
        var pending = new PendingChange(change);
        lock (_gate)
        {
            _pending.Add(pending);
            if (_isWriting) return pending.Written.Task;
            _isWriting = true;
        }
        _ = Task.Run(WritePendingAsync);
        return pending.Written.Task;
    }

    /// <summary>Wakes those who wait for a change: a running trial has reported progress, or has stopped.</summary>
    /// <param name="trial">From 1; null where it is the sweep as a whole.</param>
    public void NotifyChanged(int? trial = null) => Notify(trial is { } number ? [number] : []);

    /// <summary>
    /// Waits until the version is another one and a moment has passed, so that one who follows a large sweep is told of many changes at
    /// once; where the sweep's own state changes it returns at once, and in any case when the time is up.
    /// </summary>
    /// <param name="moment">How long changes are gathered.</param>
    public async Task WaitAsync(long knownVersion, TimeSpan moment, TimeSpan timeout)
    {
        Task changed, stateChanged;
        lock (_gate)
        {
            if (knownVersion != _version && (knownVersion < 0 || _record.HasEnded)) return;
            changed = knownVersion == _version ? _changed.Task : Task.CompletedTask;
            stateChanged = _stateChanged.Task;
        }
        using var expired = new CancellationTokenSource(timeout, time);
        await changed.WaitAsync(expired.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (expired.IsCancellationRequested) return;
        using var gathered = new CancellationTokenSource(moment, time);
        await stateChanged.WaitAsync(gathered.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WritePendingAsync()
    {
        while (true)
        {
            List<PendingChange> changes;
            lock (_gate)
            {
                if (_pending.Count == 0)
                {
                    _isWriting = false;
                    return;
                }
                changes = [.. _pending];
                _pending.Clear();
            }
            try
            {
                await WriteAllAsync(changes).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                foreach (var change in changes) change.Written.TrySetException(error);
            }
        }
    }

    private async Task WriteAllAsync(List<PendingChange> changes)
    {
        if (IsStale) throw CreateStale();
        var before = Record;
        var next = changes.Aggregate(before, (current, change) => change.Apply(current));
        if (!ReferenceEquals(next, before))
        {
            if (await sweeps.TryReplaceAsync(id, next, ETag, CancellationToken.None).ConfigureAwait(false) is not var (written, etag))
            {
                IsStale = true;
                throw CreateStale();
            }
            lock (_gate)
            {
                _record = written;
                _etag = etag;
            }
            Interlocked.Exchange(ref _written, time.GetTimestamp());
            Notify([.. next.Trials.Recent.Where(trial => IsChanged(before, trial.Key, trial.Value)).Select(trial => trial.Key)]);
            if (next.State != before.State) SignalState();
        }
        foreach (var change in changes) change.Written.TrySetResult();
    }

    private static bool IsChanged(SweepRecord before, int number, TrialRecord trial) =>
        before.Trials.Count < number || !ReferenceEquals(before.Trials.Get(number), trial);

    private void SignalState()
    {
        TaskCompletionSource signal;
        lock (_gate)
        {
            signal = _stateChanged;
            _stateChanged = NewSignal();
        }
        signal.TrySetResult();
    }

    private void Notify(IReadOnlyCollection<int> trials)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _version++;
            foreach (var trial in trials) _trials.Mark(trial);
            changed = _changed;
            _changed = NewSignal();
        }
        changed.TrySetResult();
    }

    private ConcurrentWriterException CreateStale() => new($"Another process has changed sweep '{id}'.");

    /// <summary>A change that is not in the store yet.</summary>
    private sealed class PendingChange(Func<SweepRecord, SweepRecord> change)
    {
        public TaskCompletionSource Written { get; } = NewSignal();

        /// <summary>The record with the change; one that can't be made leaves those beside it alone.</summary>
        public SweepRecord Apply(SweepRecord record)
        {
            try
            {
                return change(record);
            }
            catch (Exception error)
            {
                Written.TrySetException(error);
                return record;
            }
        }
    }
}

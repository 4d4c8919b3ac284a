using System.Collections;
using System.Collections.Immutable;
using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>
/// A sweep's trials by position, immutable. A change costs the logarithm of their number, counts and what runs or waits included. A trial
/// that nothing is kept of is waiting.
/// </summary>
public sealed class SweepTrials : IReadOnlyList<TrialRecord>
{
    private readonly ImmutableDictionary<int, TrialRecord> _known;

    private SweepTrials(
        ImmutableDictionary<int, TrialRecord> known,
        ImmutableDictionary<int, TrialRecord> recent,
        ImmutableSortedSet<int> startable,
        ImmutableSortedSet<int> held,
        ImmutableSortedSet<int> running,
        TrialCounts counts)
    {
        _known = known;
        Recent = recent;
        Startable = startable;
        Held = held;
        Running = running;
        Counts = counts;
    }

    /// <summary>Before the plan was read.</summary>
    public static SweepTrials None { get; } = Create(0);

    /// <inheritdoc />
    public int Count => Counts.Total;

    /// <summary>How many are in each state.</summary>
    public TrialCounts Counts { get; }

    /// <summary>The numbers of those that may begin.</summary>
    public ImmutableSortedSet<int> Startable { get; }

    /// <summary>The numbers of those that wait at a rung of a search.</summary>
    public ImmutableSortedSet<int> Held { get; }

    /// <summary>The numbers of those that run.</summary>
    public ImmutableSortedSet<int> Running { get; }

    /// <summary>Those that have changed since the last segment was written, by number.</summary>
    internal ImmutableDictionary<int, TrialRecord> Recent { get; private init; }

    /// <summary>The names of the segments that hold the others, oldest first.</summary>
    internal ImmutableList<string> Segments { get; private init; } = [];

    /// <inheritdoc />
    public TrialRecord this[int index] => Get(index + 1);

    /// <summary>Trials that wait.</summary>
    public static SweepTrials Create(int count) => new(
        ImmutableDictionary<int, TrialRecord>.Empty,
        ImmutableDictionary<int, TrialRecord>.Empty,
        [.. Enumerable.Range(1, count)],
        [],
        [],
        new TrialCounts(count));

    /// <summary>Trials as they are.</summary>
    public static SweepTrials Create(IReadOnlyList<TrialRecord> records) =>
        records.Index().Aggregate(Create(records.Count), (trials, record) => trials.With(record.Index + 1, record.Item));

    /// <summary>A trial's record.</summary>
    /// <param name="number">From 1.</param>
    public TrialRecord Get(int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, Count);
        return _known.GetValueOrDefault(number, TrialRecord.Unknown);
    }

    /// <summary>The trials with one changed; the same where it is the same.</summary>
    /// <param name="number">From 1.</param>
    public SweepTrials With(int number, TrialRecord record)
    {
        var before = Get(number);
        if (ReferenceEquals(before, record)) return this;
        return new SweepTrials(
            _known.SetItem(number, record),
            Recent.SetItem(number, record),
            Change(Startable, before.IsStartable, record.IsStartable, number),
            Change(Held, before.IsHeld, record.IsHeld, number),
            Change(Running, before.State == WorkState.Running, record.State == WorkState.Running, number),
            Counts.Add(before.State, before.Kind, -1).Add(record.State, record.Kind, 1))
        {
            Segments = Segments,
        };
    }

    /// <summary>The trials with several changed.</summary>
    /// <param name="change">Gives the same object where there is nothing to change.</param>
    public SweepTrials WithAll(IEnumerable<int> numbers, Func<TrialRecord, TrialRecord> change) =>
        numbers.Aggregate(this, (trials, number) => trials.With(number, change(trials.Get(number))));

    /// <summary>The numbers of trials, in order.</summary>
    public IEnumerable<int> NumbersWhere(Predicate<TrialRecord> condition) =>
        Enumerable.Range(1, Count).Where(number => condition(Get(number)));

    /// <summary>The trials once a segment holds the recent ones that do not run.</summary>
    /// <param name="segment">Its name.</param>
    internal SweepTrials Sealed(string segment) => new(_known, Recent.RemoveRange(Settled.Keys), Startable, Held, Running, Counts)
    {
        Segments = Segments.Add(segment),
    };

    /// <summary>The recent ones that do not run: they will hardly change soon.</summary>
    internal ImmutableSortedDictionary<int, TrialRecord> Settled =>
        Recent.Where(trial => trial.Value.State != WorkState.Running).ToImmutableSortedDictionary();

    /// <summary>Puts the trials together again.</summary>
    /// <param name="segments">Their names.</param>
    /// <param name="contents">What they hold; what a later one says counts.</param>
    /// <param name="recent">What none of them holds.</param>
    internal static SweepTrials Load(
        int count,
        IEnumerable<string> segments,
        IEnumerable<IReadOnlyDictionary<int, TrialRecord>> contents,
        IReadOnlyDictionary<int, TrialRecord> recent)
    {
        var known = ImmutableDictionary.CreateBuilder<int, TrialRecord>();
        foreach (var (number, record) in contents.Append(recent).SelectMany(trials => trials)) known[number] = record;
        var counts = new TrialCounts(count - known.Count);
        foreach (var record in known.Values) counts = counts.Add(record.State, record.Kind, 1);
        return new SweepTrials(
            known.ToImmutable(),
            recent.ToImmutableDictionary(),
            [.. Enumerable.Range(1, count).Where(number => known.GetValueOrDefault(number, TrialRecord.Unknown).IsStartable)],
            [.. known.Where(trial => trial.Value.IsHeld).Select(trial => trial.Key)],
            [.. known.Where(trial => trial.Value.State == WorkState.Running).Select(trial => trial.Key)],
            counts)
        {
            Segments = [.. segments],
        };
    }

    /// <inheritdoc />
    public IEnumerator<TrialRecord> GetEnumerator() => Enumerable.Range(1, Count).Select(Get).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static ImmutableSortedSet<int> Change(ImmutableSortedSet<int> numbers, bool wasIn, bool isIn, int number)
    {
        if (wasIn == isIn) return numbers;
        return isIn ? numbers.Add(number) : numbers.Remove(number);
    }
}

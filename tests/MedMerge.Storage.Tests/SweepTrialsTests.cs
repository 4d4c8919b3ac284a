using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

/// <summary>A sweep's record as head and segments.</summary>
public sealed class SweepTrialsTests
{
    private const int Trials = 2000;
    private readonly MemoryObjectStore _objects = new(TimeProvider.System);
    private readonly SweepStore _sweeps;

    public SweepTrialsTests() => _sweeps = new SweepStore(_objects);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_writes_as_much_at_the_last_trial_as_at_the_first_and_all_comes_back()
    {
        var (record, etag) = await CreateAsync();
        var largest = new List<int>();
        for (var number = 1; number <= Trials; number++)
        {
            var current = number;
            record = record.WithTrial(current, trial => trial.Started("trace").RunningOn(["node"], _ => false));
            (record, etag) = (await _sweeps.TryReplaceAsync("s", record, etag, Cancellation))!.Value;
            record = record.WithTrial(current, trial => current % 7 == 0 ? trial.Failed(FailureKind.Permanent, "why") : trial.Done());
            (record, etag) = (await _sweeps.TryReplaceAsync("s", record, etag, Cancellation))!.Value;
            largest.Add((await _objects.ReadAsync("sweeps/s", Cancellation))!.Content.Length);
        }

        Assert.True(largest.TakeLast(300).Max() < 1.05 * largest.Take(300).Max(), "The head grows.");
        var found = (await _sweeps.FindAsync("s", Cancellation))!.Value.Record;
        Assert.Equal(Trials / SweepStore.SegmentSize, found.Trials.Segments.Count);
        Assert.Equal(record.Trials.Counts, found.Trials.Counts);
        Assert.Equal(Trials / 7, found.Trials.Counts.Failed);
        Assert.Equivalent(record.Trials.ToList(), found.Trials.ToList(), strict: true);

        // Whoever retries what a segment holds does not undo it.
        var retried = record.Retried(record.Trials.NumbersWhere(trial => trial.HasFailed));
        await _sweeps.TryReplaceAsync("s", retried, etag, Cancellation);
        found = (await _sweeps.FindAsync("s", Cancellation))!.Value.Record;
        Assert.Equal((Trials / 7, 0), (found.Trials.Counts.Waiting, found.Trials.Counts.Failed));
        Assert.Equal(7, found.Trials.Startable[0]);
    }

    [Fact]
    public async Task A_damaged_segment_is_damage_of_the_sweep()
    {
        var (record, etag) = await CreateAsync();
        record = record.WithoutTrials(record.Trials.Startable, TrialRecord.SkippedByUser);
        await _sweeps.TryReplaceAsync("s", record, etag, Cancellation);
        var segment = (await _objects.ListAsync(SweepStore.SegmentPrefix, Cancellation).ToListAsync(Cancellation)).First();
        await _objects.DeleteAsync(segment.Name, Cancellation);
        await _objects.TryCreateAsync(segment.Name, "{"u8.ToArray(), Cancellation);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => _sweeps.FindAsync("s", Cancellation));
        Assert.Contains("'s' is damaged", error.Message, StringComparison.Ordinal);
        Assert.Contains(segment.Name, (await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
        Assert.NotNull(await _sweeps.FindHeadAsync("s", Cancellation)); // lists still show it
    }

    [Fact]
    public async Task A_record_of_an_older_version_waits_to_be_planned_again()
    {
        var older = new
        {
            name = "s",
            specification = "spec",
            plan = "plan",
            inputs = new[] { "input" },
            state = "Done",
            submitted = DateTimeOffset.UnixEpoch,
            trials = new[] { new { state = "Done", attempt = 1, nodeDeaths = 0, nodes = Array.Empty<string>() } },
        };
        await _objects.TryCreateAsync("sweeps/s", Manifest.Write("sweep", "commit", older), Cancellation);

        var found = (await _sweeps.FindAsync("s", Cancellation))!.Value.Record;
        Assert.Equal((WorkState.Paused, 0, "spec"), (found.State, found.Trials.Count, found.Specification));
        Assert.Null(found.Submitter);
        Assert.Empty(found.Steering);
        Assert.Contains("an older version", found.Reason, StringComparison.Ordinal);
        var resumed = found.ChangedTo(WorkState.Running).Planned(3, SweepLimits.None);
        Assert.Equal(3, resumed.Trials.Counts.Waiting);
        Assert.NotNull(SweepStore.ArtefactsOf((await _objects.ReadAsync("sweeps/s", Cancellation))!.Content));
        await _sweeps.SortOlderAsync(Cancellation);
        Assert.Equal(["s"], await _sweeps.ListNewestAsync(Cancellation).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task The_newest_sweeps_are_listed_first()
    {
        foreach (var (id, day) in new[] { ("b", 2), ("c", 3), ("a", 1) })
        {
            var submitted = DateTimeOffset.UnixEpoch.AddDays(day);
            await _sweeps.TryCreateAsync(id, SweepRecord.Start(id, "spec", "plan", [], [], submitted, trace: null), Cancellation);
        }
        Assert.Equal(["c", "b", "a"], await _sweeps.ListNewestAsync(Cancellation).ToListAsync(Cancellation));
        await _sweeps.RemoveAsync("b", DateTimeOffset.UnixEpoch.AddDays(2), Cancellation);
        Assert.Equal(["c", "a"], await _sweeps.ListNewestAsync(Cancellation).ToListAsync(Cancellation));
        Assert.False(await _sweeps.ExistsAsync("b", Cancellation));
        Assert.Equal(["a", "c"], await _sweeps.ActiveAsync(Cancellation));
    }

    [Fact]
    public async Task A_record_keeps_who_submitted_it_and_the_latest_changes_by_users()
    {
        var (record, etag) = await CreateAsync();
        Assert.Empty(record.Steering);
        record = record with { Submitter = "ann" };
        for (var number = 1; number <= SweepRecord.MaxSteering + 1; number++)
        {
            var by = new SteeringAction(DateTimeOffset.UnixEpoch.AddMinutes(number), "bob", $"skip {number}");
            record = record.Steered(by, its => its.WithoutTrials([number], TrialRecord.SkippedByUser));
        }
        Assert.Same(record, record.Steered(record.Steering[0], its => its)); // nothing has changed
        await _sweeps.TryReplaceAsync("s", record, etag, Cancellation);

        var found = (await _sweeps.FindAsync("s", Cancellation))!.Value.Record;
        Assert.Equal("ann", found.Submitter);
        Assert.Equal(SweepRecord.MaxSteering, found.Steering.Count);
        Assert.Equal(("skip 2", "bob"), (found.Steering[0].Action, found.Steering[0].User));
        Assert.Equal(record.Steering[^1], found.Steering[^1]);
    }

    private async Task<(SweepRecord Record, string ETag)> CreateAsync()
    {
        var record = SweepRecord.Start("s", "spec", "plan", [], [], DateTimeOffset.UnixEpoch, trace: null)
            .Planned(Trials, SweepLimits.None);
        var etag = await _sweeps.TryCreateAsync("s", record, Cancellation);
        return (record, etag!);
    }
}

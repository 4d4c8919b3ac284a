using MedMerge.Gateway.Endpoints;
using MedMerge.Grains;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.Gateway.Tests;

/// <summary>What a stream of events holds of a large sweep.</summary>
public sealed class SweepEventsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Trials_that_have_changed_come_once_and_in_pages()
    {
        var sweep = new ChangingSweep(changes: [(1200, WorkState.Running), (0, WorkState.Running), (3, WorkState.Done)]);
        var events = new SweepEvents("id", sweep, NullLogger.Instance);
        var first = await sweep.StatusAsync(-1);

        var sent = await events.WatchAsync(first, withTrials: true, CancellationToken.None, Cancellation).ToListAsync(Cancellation);

        Assert.Equal(
            ["trials 500", "trials 500", "trials 200", "status", "status", "trials 3", "status"],
            sent.Select(one => one.Data is IReadOnlyList<TrialSummary> trials ? $"{one.EventType} {trials.Count}" : one.EventType));
    }

    [Fact]
    public async Task A_stream_of_trials_ends_where_the_sweep_has_moved_so_that_clients_read_the_pages_again()
    {
        var sweep = new ChangingSweep(changes: [(1, WorkState.Running), (1, WorkState.Running), (1, WorkState.Done)]) { MovesAt = 2 };
        var events = new SweepEvents("id", sweep, NullLogger.Instance);
        var first = await sweep.StatusAsync(-1);

        var sent = await events.WatchAsync(first, withTrials: true, CancellationToken.None, Cancellation).ToListAsync(Cancellation);

        Assert.Equal(["trials", "status"], sent.Select(one => one.EventType));
    }

    /// <summary>A sweep that says at each status how many trials have changed since the one before.</summary>
    private sealed class ChangingSweep((int Trials, WorkState State)[] changes) : ISweepGrain
    {
        private static readonly TrialSummary Trial = new(1, "medmerge", 0, WorkState.Running, 1, null, null);
        private readonly Guid _activation = Guid.NewGuid();
        private int _statuses;
        private long _changed;
        private int _pages;

        /// <summary>The page from which on another node answers; 0 for none.</summary>
        public int MovesAt { get; init; }

        public Task<SweepStatus> StatusAsync(long knownVersion)
        {
            var (trials, state) = changes[_statuses++];
            _changed += trials;
            var counts = new TrialCounts(0);
            return Task.FromResult(new SweepStatus("id", "name", state, _statuses, 0, null, counts, [], null, SweepLimits.None, 0));
        }

        public Task<TrialPage> TrialsAsync(TrialQuery query)
        {
            var count = (int)Math.Min(TrialPage.MaxTrials, _changed - query.ChangedAfter!.Value);
            var activation = MovesAt > 0 && ++_pages >= MovesAt ? Guid.Empty : _activation;
            return Task.FromResult(new TrialPage(query.ChangedAfter.Value + count, activation, [.. Enumerable.Repeat(Trial, count)], null));
        }

        public Task StartAsync(StartSweep start) => throw new NotSupportedException();

        public Task<SweepStatus> PauseAsync() => throw new NotSupportedException();

        public Task<SweepStatus> ResumeAsync() => throw new NotSupportedException();

        public Task<SweepStatus> CancelAsync() => throw new NotSupportedException();

        public Task<SweepStatus> RetryAsync(TrialChoice trials) => throw new NotSupportedException();

        public Task<SweepStatus> SkipAsync(int number) => throw new NotSupportedException();

        public Task<SweepStatus> LimitAsync(SweepLimits limits) => throw new NotSupportedException();

        public Task<SweepStatus> ExtendAsync(StartSweep extended) => throw new NotSupportedException();

        public Task<SweepStatus> RepairAsync(string stage) => throw new NotSupportedException();

        public Task WakeAsync() => throw new NotSupportedException();
    }
}

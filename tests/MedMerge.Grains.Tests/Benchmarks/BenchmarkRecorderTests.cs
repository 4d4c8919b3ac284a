using System.Diagnostics.Metrics;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Grains.Benchmarks;
using MedMerge.Grains.Tests.Running;
using MedMerge.Grains.Tests.Schedules;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Benchmarks;

/// <summary>How the ended runs of a schedule become a history.</summary>
public sealed class BenchmarkRecorderTests
{
    private const string First = "20260504t020000z";
    private const string Second = "20260505t020000z";
    private const string Third = "20260506t020000z";
    private static readonly int?[] Good = [90, 91, 89, 92, 90];
    private static readonly int?[] Bad = [60, 61, 62, 60, 59];
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch);
    private readonly RecordingLogger _log = new();
    private readonly ILogger<BenchmarkRecorder> _logger;
    private readonly MemoryObjectStore _objects;
    private readonly RecordedSweeps _sweeps;

    public BenchmarkRecorderTests()
    {
        _logger = _log.CreateLogger<BenchmarkRecorder>();
        _objects = new MemoryObjectStore(_time);
        _sweeps = new RecordedSweeps(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_is_recorded_with_scores_times_and_what_it_was_made_of()
    {
        var run = await RecordAsync(First, "a", Good);

        Assert.Equal(("nightly", First, $"nightly-{First}", "title"), (run.Benchmark, run.Id, run.Sweep, run.Title));
        Assert.Equal((5, 5), (run.Planned, run.Done));
        var row = Assert.Single(Assert.Single(run.Scenarios).Rows);
        Assert.Equal("scratch", row.Method);
        Assert.InRange(row.Score!.Estimate, 0.89, 0.92);
        Assert.Equal("0.001", run.Scenarios[0].Settings["fineTune.learningRate"]);
        Assert.Contains("TorchSharp", run.Code.Packages.Keys);
        Assert.All(run.StageKinds, kind => Assert.Equal(10 * kind.Stages, kind.Seconds));
        Assert.False(run.Verdict.IsFlagged);
        Assert.Null(run.Verdict.Baseline);
        var damaged = (await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged;
        Assert.DoesNotContain(damaged, name => name.Contains("benchmarks/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_of_the_same_data_settings_and_code_is_recognised()
    {
        await RecordAsync(First, "a", Good);
        var run = await RecordAsync(Second, "a", Good);

        Assert.True(run.Verdict.IsUnchanged);
        Assert.Equal(First, run.Verdict.Baseline);
        Assert.False(run.Verdict.IsFlagged);
        Assert.Empty(run.Verdict.Scores);
        Assert.All(run.StageKinds, kind => Assert.Equal((0, 0.0), (kind.Computed, kind.Seconds)));
        Assert.Contains(_log.Lines, line => line.Message.EndsWith("is unchanged: same data, settings and code.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_worse_run_is_flagged_with_a_warning_and_counted_and_the_next_is_compared_with_the_one_before()
    {
        var flagged = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "medmerge.benchmark.runs") listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (tags.Contains(new("outcome", "flagged"))) Interlocked.Add(ref flagged, value);
        });
        meters.Start();
        await RecordAsync(First, "a", Good);
        var bad = await RecordAsync(Second, "b", Bad);
        Assert.True(flagged > 0, "The run was not counted as flagged.");
        var good = await RecordAsync(Third, "c", Good);

        var finding = Assert.Single(bad.Verdict.Findings);
        Assert.Equal(FindingKind.Score, finding.Kind);
        Assert.StartsWith("scratch on ", finding.Text, StringComparison.Ordinal);
        Assert.Equal(Second, Assert.Single(await PendingAsync()).Run);
        var warning = Assert.Single(_log.Lines, line => line.Level == LogLevel.Warning);
        Assert.Contains(finding.Text, warning.Message, StringComparison.Ordinal);
        Assert.Equal(First, good.Verdict.Baseline);
        Assert.False(good.Verdict.IsFlagged);
    }

    [Fact]
    public async Task A_flagged_run_that_a_user_accepts_is_what_later_runs_are_compared_with()
    {
        await RecordAsync(First, "a", Good);
        await RecordAsync(Second, "b", Bad);
        await new BenchmarkStore(_objects).AcceptAsync("nightly", Second, Cancellation);
        var run = await RecordAsync(Third, "c", Bad);

        Assert.Equal(Second, run.Verdict.Baseline);
        Assert.False(run.Verdict.IsFlagged);
    }

    [Fact]
    public async Task Slower_stages_and_failed_trials_are_flagged()
    {
        await RecordAsync(First, "a", Good);
        var slow = await RecordAsync(Second, "b", Good, seconds: 20);
        var failed = await RecordAsync(Third, "c", [90, 91, null, 92, 90]);

        Assert.Contains(slow.Verdict.Findings, finding => finding.Kind == FindingKind.Time);
        Assert.DoesNotContain(slow.Verdict.Findings, finding => finding.Kind != FindingKind.Time);
        Assert.Equal("1 of 5 trials has no result.", Assert.Single(failed.Verdict.Findings).Text);
    }

    [Fact]
    public async Task What_a_comparison_needs_stays_when_the_rest_is_cleaned_up()
    {
        await RecordAsync(First, "a", Good);
        await foreach (var stage in _objects.ListAsync(StageStore.Prefix, Cancellation))
            await _objects.DeleteAsync(stage.Name, Cancellation);
        _time.Advance(TimeSpan.FromDays(30));
        await StoreMaintenance.CollectAsync(_objects, TimeSpan.FromDays(1), _time, Cancellation);

        var bad = await RecordAsync(Second, "b", Bad);

        Assert.Equal(FindingKind.Score, Assert.Single(bad.Verdict.Findings).Kind);
    }

    [Fact]
    public async Task A_baseline_whose_predictions_are_lost_is_said_and_the_run_is_recorded()
    {
        var first = await RecordAsync(First, "a", Good);
        await _objects.DeleteAsync(ArtefactStore.Prefix + first.Artefacts.First(), Cancellation);

        var run = await RecordAsync(Second, "b", Bad);

        Assert.Equal(FindingKind.Incomparable, Assert.Single(run.Verdict.Findings).Kind);
    }

    [Fact]
    public async Task Only_ended_sweeps_of_schedules_are_recorded()
    {
        var plan = RecordedSweeps.CreatePlan("a", Good.Length);
        await _sweeps.AddScheduleAsync();
        var running = await _sweeps.AddAsync(First, plan, Good);
        var store = new SweepStore(_objects);
        await store.MarkAsync(running, Cancellation);
        await _sweeps.AddAsync($"2-{Second}", plan, Good); // of a schedule nightly-2
        await _sweeps.AddAsync(Third, plan, Good);

        await RecordAllAsync(_objects);
        Assert.Equal([Third], await new BenchmarkStore(_objects).ListAsync("nightly", Cancellation));
        await store.UnmarkAsync(running, Cancellation);
        await RecordAllAsync(_objects);
        Assert.Equal([First, Third], await new BenchmarkStore(_objects).ListAsync("nightly", Cancellation));
    }

    /// <summary>
    /// Two nodes at a time, each of which may be killed at any of its calls of the store; then, once the lease of the dead has expired, one
    /// that is not killed.
    /// </summary>
    [Fact]
    public async Task Whatever_dies_in_between_a_run_is_recorded_once_and_its_webhook_is_not_lost()
    {
        const int seeds = 300;
        var killed = 0;
        for (var seed = 0; seed < seeds; seed++)
        {
            var random = new Random(seed);
            var writes = new List<string>();
            var objects = new MemoryObjectStore(_time);
            var sweeps = new RecordedSweeps(objects);
            await RecordAsync(objects, await sweeps.AddAsync(First, RecordedSweeps.CreatePlan("a", 2), [90, 91]));
            var second = await sweeps.AddAsync(Second, RecordedSweeps.CreatePlan("b", 2), [90, null]);
            objects.Written = (name, _) => writes.Add(name);
            var interleaving = new Interleaving(random);

            killed += await interleaving.RunAsync(Enumerable.Range(0, 2).Select(_ => (Func<Task>)(() => RecordAsync(
                new InterleavedStore(objects, interleaving, killAt: random.Next(60), isAfter: random.Next(2) == 0),
                second))));
            _time.Advance(TimeSpan.FromHours(1));
            await RecordAsync(objects, second);

            var run = await sweeps.FindAsync(Second);
            Assert.True(run.Verdict.IsFlagged, $"seed {seed}");
            Assert.Single(writes, name => name == $"{BenchmarkStore.RunPrefix}nightly/{Second}");
            Assert.Single(await new WebhookStore(objects).ListAsync(Cancellation));
        }
        Assert.InRange(killed, seeds / 4, 2 * seeds);
    }

    private async Task<BenchmarkRun> RecordAsync(string id, string word, int?[] right, double seconds = 10)
    {
        var sweep = await _sweeps.AddAsync(id, RecordedSweeps.CreatePlan(word, right.Length), right, seconds);
        Assert.False(await CreateRecorder(_objects).RecordAsync("nightly", sweep, Cancellation));
        return await _sweeps.FindAsync(id);
    }

    private Task RecordAsync(IObjectStore objects, string sweep) => CreateRecorder(objects).RecordAsync("nightly", sweep, Cancellation);

    private Task RecordAllAsync(IObjectStore objects)
    {
        var service = new BenchmarkService(
            new(objects),
            new(objects),
            new(objects),
            CreateRecorder(objects),
            new FakeMembership().View,
            _time,
            _log.CreateLogger<BenchmarkService>());
        return service.RecordAllAsync(Cancellation);
    }

    private BenchmarkRecorder CreateRecorder(IObjectStore objects)
    {
        var artefacts = new ArtefactStore(objects, _time);
        var options = new BenchmarkOptions { Webhook = { Url = "http://127.0.0.1:1" } };
        return new BenchmarkRecorder(
            new BenchmarkStore(objects),
            new BenchmarkReader(artefacts, new StageStore(objects), new PlanSummaries(artefacts)),
            new BenchmarkLease(objects, _time),
            new WebhookStore(objects),
            new SweepStore(objects),
            Options.Create(options),
            _time,
            _logger);
    }

    private async Task<IEnumerable<PendingWebhook>> PendingAsync() =>
        (await new WebhookStore(_objects).ListAsync(Cancellation)).Select(found => found.Webhook);
}

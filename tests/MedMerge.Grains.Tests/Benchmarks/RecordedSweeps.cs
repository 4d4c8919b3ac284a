using System.Collections.Concurrent;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Statistics;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests.Benchmarks;

/// <summary>Ended sweeps of a schedule <c>nightly</c>: one scenario, one method, predictions that a test gives.</summary>
internal sealed class RecordedSweeps(IObjectStore objects)
{
    private const int Images = 100;
    private static readonly ConcurrentDictionary<int, PlanSummary> Plans = [];
    private readonly SweepStore _sweeps = new(objects);
    private readonly StageStore _stages = new(objects);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The plan of a specification; a word in it makes it another.</summary>
    public static PlanSummary CreatePlan(string word, int seeds)
    {
        var plan = Plans.GetOrAdd(
            seeds,
            count => PlanSummary.Of(new SpecificationBuilder { Methods = "[scratch]", Seeds = count }.BuildPlan()));
        return plan with
        {
            Stages = [.. plan.Stages.Select(stage => stage with { Key = $"{stage.Key}-{word}" })],
            Trials = [.. plan.Trials.Select(trial => trial with { Predictions = $"{trial.Predictions}-{word}" })],
        };
    }

    /// <summary>Adds a sweep.</summary>
    /// <param name="id">The run's.</param>
    /// <param name="right">How many of 100 test images the models get right, by seed; null for a trial that failed.</param>
    /// <param name="seconds">What each stage took.</param>
    public async Task<string> AddAsync(string id, PlanSummary plan, IReadOnlyList<int?> right, double seconds = 10)
    {
        foreach (var (trial, count) in plan.Trials.Zip(right))
            if (count is { } known) await SaveAsync(trial.Predictions, Answer(known), seconds);
        foreach (var stage in plan.Stages)
            if (!await _stages.HasAsync(stage.Key, Cancellation)) await SaveAsync(stage.Key, new() { ["model"] = [1] }, seconds);
        var hash = await new ArtefactStore(objects).WriteAsync(plan.Write(), Cancellation);
        var trials = right.Select(count =>
            new TrialRecord(count is null ? WorkState.Failed : WorkState.Done, Attempt: 1));
        var sweep = $"nightly-{id}";
        var record = SweepRecord.Start("title", "spec", hash, [], [], DateTimeOffset.UnixEpoch, trace: null) with
        {
            State = WorkState.Done,
            Trials = SweepTrials.Create([.. trials]),
        };
        await _sweeps.TryCreateAsync(sweep, record, Cancellation);
        await _sweeps.UnmarkAsync(sweep, Cancellation);
        return sweep;
    }

    /// <summary>Adds the schedule itself.</summary>
    public Task AddScheduleAsync() =>
        new ScheduleStore(objects).TryCreateAsync(Testing.Schedules.Create(DateTimeOffset.UnixEpoch), Cancellation);

    /// <summary>What is kept of a sweep's run.</summary>
    public async Task<Experiments.Benchmarks.BenchmarkRun> FindAsync(string id) =>
        (await new BenchmarkStore(objects).FindAsync("nightly", id, Cancellation))!;

    private Task SaveAsync(string key, Dictionary<string, byte[]> files, double seconds) => _stages.SaveAsync(
        key,
        "stage",
        new StageOutput(files) { Timing = new StageTiming(seconds, IsResumed: false, "a processor") },
        Cancellation);

    private static Dictionary<string, byte[]> Answer(int right)
    {
        var labels = Enumerable.Range(0, Images).Select(image => image % 2).ToArray();
        var probabilities = labels.SelectMany((label, image) =>
            (label == 0) == (image < right) ? new[] { 0.75, 0.25 } : [0.25, 0.75]);
        var predictions = new Predictions(Classes: 2, [.. probabilities], labels);
        return new() { [StageFiles.Predictions] = StageFiles.Write(new HeldOutPredictions(predictions, predictions)) };
    }
}

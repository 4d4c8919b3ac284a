using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;
using MedMerge.Grains;
using MedMerge.Statistics;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.Gateway.Tests;

/// <summary>What API and pages read, on a store alone: the cluster is not connected.</summary>
public sealed class ResultQueriesTests : IAsyncLifetime
{
    private const string Sweep = "sweep";

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-queries-").FullName;
    private readonly FolderObjectStore _objects;
    private readonly SweepStore _sweeps;
    private readonly StageStore _stages;
    private readonly StoreConnection _store;
    private readonly ClusterConnection _cluster;
    private readonly ResultQueries _queries;

    public ResultQueriesTests()
    {
        _objects = new FolderObjectStore(_folder);
        _sweeps = new SweepStore(_objects);
        _stages = new StageStore(_objects);
        var settings = new ConfigurationBuilder().Build();
        _store = new StoreConnection(settings, TimeProvider.System, NullLogger<StoreConnection>.Instance);
        _cluster = new ClusterConnection(settings, _store, NullLoggerFactory.Instance, TimeProvider.System);
        _queries = CreateQueries(_stages);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Two scenarios with a method and two seeds each; the last trial runs, the others have a result.</summary>
    public async ValueTask InitializeAsync()
    {
        var built = PlanSummary.Of(new SpecificationBuilder().BuildPlan());
        var plan = built with
        {
            Scenarios = [built.Scenarios[0] with { Name = "first" }, built.Scenarios[0] with { Name = "second" }],
            Trials = [CreateTrial(1, scenario: 0), CreateTrial(2, scenario: 0), CreateTrial(3, scenario: 1), CreateTrial(4, scenario: 1)],
        };
        foreach (var trial in plan.Trials) await SaveAsync(trial);
        var hash = await new ArtefactStore(_objects).WriteAsync(plan.Write(), Cancellation);
        WorkState[] states = [WorkState.Done, WorkState.Done, WorkState.Done, WorkState.Running];
        var trials = SweepTrials.Create([.. states.Select(state => new TrialRecord(state, Attempt: 1))]);
        var record = new SweepRecord(Sweep, "frozen", hash, [], WorkState.Running, DateTimeOffset.UnixEpoch, trials);
        await _sweeps.TryCreateAsync(Sweep, record, Cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _cluster.Dispose();
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task One_scenario_is_read_without_the_others()
    {
        await _stages.ForgetAsync("evaluate-3", Cancellation);

        Assert.Equal(2, (await GetAsync("first")).Trials.Count);
        await Assert.ThrowsAsync<UnavailableException>(() => GetAsync("second")); // the cluster would compute it again
    }

    [Fact]
    public async Task A_result_is_computed_once_and_again_when_a_trial_has_ended()
    {
        var result = await GetAsync("second");
        await _stages.ForgetAsync("evaluate-3", Cancellation);
        Assert.Same(result, await GetAsync("second")); // from memory, for its output is gone

        await SaveAsync(CreateTrial(3, scenario: 1));
        var (record, etag) = (await _sweeps.FindAsync(Sweep, Cancellation))!.Value;
        var ended = record.WithTrial(4, trial => trial with { State = WorkState.Done });
        await _sweeps.TryReplaceAsync(Sweep, ended, etag, Cancellation);
        Assert.Equal(2, (await GetAsync("second")).Trials.Count);
    }

    [Fact]
    public async Task All_scenarios_together_are_those_of_one_each_and_are_read_once()
    {
        var (first, second) = (await GetAsync("first"), await GetAsync("second"));
        await _stages.ForgetAsync("evaluate-1", Cancellation);

        var sweep = await _queries.GetSweepAsync(Sweep, Cancellation);

        Assert.Equal(2, sweep.Scenarios.Count);
        Assert.Same(first, sweep.Scenarios[0]);
        Assert.Same(second, sweep.Scenarios[1]);
        Assert.Equal(2, sweep.Comparison!.Scenarios);
        Assert.Empty(sweep.Missing);
    }

    [Fact]
    public async Task A_trial_without_a_result_is_known_for_its_reason()
    {
        var (record, etag) = (await _sweeps.FindAsync(Sweep, Cancellation))!.Value;
        var ended = record.WithTrial(4, trial => trial with { State = WorkState.StoppedEarly });
        Assert.Equal(MissingState.NotFinished, Assert.Single((await GetAsync("second")).Missing).State);
        await _sweeps.TryReplaceAsync(Sweep, ended, etag, Cancellation);

        var sweep = await _queries.GetSweepAsync(Sweep, Cancellation);

        Assert.Equal(MissingState.StoppedEarly, sweep.Missing[4]);
        Assert.Equal(MissingState.StoppedEarly, Assert.Single(sweep.Scenarios[1].Missing).State);
    }

    /// <summary>The scenario that is being computed is finished, for whoever asks next.</summary>
    [Fact]
    public async Task A_client_that_leaves_has_no_further_scenario_read()
    {
        var objects = new PausingObjectStore(_objects);
        var (first, second) = (objects.StopAt("read stages/evaluate-1"), objects.StopAt("read stages/evaluate-3"));
        var queries = CreateQueries(new StageStore(objects));
        using var client = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var sweep = queries.GetSweepAsync(Sweep, client.Token);
        await first.Reached.WaitAsync(Cancellation);

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sweep);
        first.Release();

        Assert.Equal(2, (await queries.GetScenarioAsync(Sweep, "first", Cancellation)).Trials.Count);
        Assert.False(second.Reached.IsCompleted);
    }

    [Fact]
    public async Task A_result_that_could_not_be_read_is_read_again()
    {
        await _stages.ForgetAsync("evaluate-3", Cancellation);
        await Assert.ThrowsAsync<UnavailableException>(() => GetAsync("second"));

        await SaveAsync(CreateTrial(3, scenario: 1));

        Assert.Single((await GetAsync("second")).Trials);
    }

    [Fact]
    public async Task A_scenario_without_a_result_is_answered_with_those_that_have_one()
    {
        var error = await Assert.ThrowsAsync<InputException>(() => GetAsync("third"));

        Assert.Contains("'first', 'second'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_without_any_result_is_not_ready()
    {
        var (record, _) = (await _sweeps.FindAsync(Sweep, Cancellation))!.Value;
        var waiting = record with { Trials = SweepTrials.Create(record.Trials.Count) };
        await _sweeps.TryCreateAsync("waiting", waiting, Cancellation);

        await Assert.ThrowsAsync<NotReadyException>(() => _queries.GetScenarioAsync("waiting", "first", Cancellation));
        await Assert.ThrowsAsync<NotReadyException>(() => _queries.GetSweepAsync("waiting", Cancellation));
    }

    [Theory]
    [InlineData(Sweep, true)]
    [InlineData("other", false)]
    [InlineData("../sweeps/sweep", false)]
    [InlineData("", false)]
    public async Task Any_text_may_be_asked_for_as_an_id(string id, bool exists)
    {
        var queries = new SweepQueries(_sweeps, NullLogger<SweepQueries>.Instance);

        Assert.Equal(exists, await queries.ExistsAsync(id, Cancellation));
    }

    private Task<ScenarioResult> GetAsync(string scenario) => _queries.GetScenarioAsync(Sweep, scenario, Cancellation);

    private ResultQueries CreateQueries(StageStore stages) => new(
        _sweeps,
        new PlanSummaries(new ArtefactStore(_objects)),
        stages,
        new ResultCache(),
        _cluster,
        NullLogger<ResultQueries>.Instance);

    private static PlannedTrial CreateTrial(int number, int scenario) => new(
        number,
        scenario,
        Method: "scratch",
        Source: null,
        Seed: (ulong)number,
        Predictions: $"evaluate-{number}",
        Outputs: [],
        Stages: []);

    private Task SaveAsync(PlannedTrial trial)
    {
        var answers = new Predictions(Classes: 2, [0.75, 0.25, 0.25, 0.75], [0, 1]);
        var output = new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Predictions] = StageFiles.Write(new HeldOutPredictions(answers, answers)),
        });
        return _stages.SaveAsync(trial.Predictions, "evaluate", output, Cancellation);
    }
}

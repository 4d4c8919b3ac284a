using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Gateway.Queries;
using MedMerge.Statistics;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

public class ResultCacheTests
{
    private static readonly ScenarioSummary Scenario = PlanSummary.Of(new SpecificationBuilder().BuildPlan()).Scenarios[0];

    private readonly ResultCache _cache = new(maxBytes: 100_000);
    private int _computed;

    [Fact]
    public async Task Requests_for_the_same_result_share_one_computation()
    {
        var finish = new TaskCompletionSource<ScenarioResult>();
        Task<ScenarioResult> ComputeAsync()
        {
            Interlocked.Increment(ref _computed);
            return finish.Task;
        }
        var first = _cache.GetAsync("a", ComputeAsync);
        var second = _cache.GetAsync("a", ComputeAsync);
        finish.SetResult(CreateResult(1));

        Assert.Same(await first, await second);
        Assert.Equal(1, _computed);
    }

    [Fact]
    public async Task What_was_not_asked_for_lately_is_dropped()
    {
        for (var i = 0; i < 200; i++) await GetAsync($"{i}", trials: 1);
        Assert.Equal(200, _computed);

        await GetAsync("199", trials: 1);
        Assert.Equal(200, _computed);
        await GetAsync("0", trials: 1);
        Assert.Equal(201, _computed);
    }

    [Fact]
    public async Task Large_results_push_others_out()
    {
        const int trials = 32;
        await GetAsync("a", trials);
        await GetAsync("b", trials);
        await GetAsync("c", trials); // the three are above the limit once the third is known to be as large
        await GetAsync("c", trials);
        await GetAsync("b", trials);
        Assert.Equal(3, _computed);

        await GetAsync("a", trials);
        Assert.Equal(4, _computed);
    }

    private Task<ScenarioResult> GetAsync(string key, int trials) => _cache.GetAsync(key, () =>
    {
        _computed++;
        return Task.FromResult(CreateResult(trials));
    });

    /// <summary>A trial of two classes counts as 1.25 KiB.</summary>
    private static ScenarioResult CreateResult(int trials)
    {
        var answers = new Predictions(Classes: 2, [0.75, 0.25, 0.25, 0.75], [0, 1]);
        var results = Enumerable.Range(0, trials).Select(number =>
        {
            var trial = new PlannedTrial(number, 0, "scratch", Source: null, Seed: 0, "evaluate", Outputs: [], Stages: []);
            return new TrialResult(trial, new HeldOutPredictions(answers, answers), Certificate: null, LearningRate: null);
        });
        return new ScenarioResult(Scenario, [.. results], new Dictionary<Metric, MethodRow>(), [], []);
    }
}

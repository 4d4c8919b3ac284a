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

    private readonly ResultCache _cache = new(maxBytes: 8000);
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
        finish.SetResult(CreateResult(2));

        Assert.Same(await first, await second);
        Assert.Equal(1, _computed);
    }

    [Fact]
    public async Task What_was_not_asked_for_lately_is_dropped()
    {
        for (var i = 0; i < 100; i++) await GetAsync($"{i}", images: 2);
        Assert.Equal(100, _computed);

        await GetAsync("99", images: 2);
        Assert.Equal(100, _computed);
        await GetAsync("0", images: 2);
        Assert.Equal(101, _computed);
    }

    [Fact]
    public async Task Large_results_push_others_out()
    {
        const int images = 100;
        await GetAsync("a", images);
        await GetAsync("b", images);
        await GetAsync("c", images); // the three are above the limit once the third is known to be as large
        await GetAsync("c", images);
        await GetAsync("b", images);
        Assert.Equal(3, _computed);

        await GetAsync("a", images);
        Assert.Equal(4, _computed);
    }

    private Task<ScenarioResult> GetAsync(string key, int images) => _cache.GetAsync(key, () =>
    {
        _computed++;
        return Task.FromResult(CreateResult(images));
    });

    /// <param name="images">Of each split; an image of two classes is 16 bytes.</param>
    private static ScenarioResult CreateResult(int images)
    {
        var trial = new PlannedTrial(1, 0, "scratch", Source: null, Seed: 0, "evaluate", Outputs: [], Stages: []);
        var probabilities = Enumerable.Range(0, 2 * images).Select(i => i % 4 is 0 or 3 ? 0.75 : 0.25);
        var predictions = new Predictions(Classes: 2, [.. probabilities], [.. Enumerable.Range(0, images).Select(i => i % 2)]);
        var result = new TrialResult(trial, new HeldOutPredictions(predictions, predictions), Certificate: null, LearningRate: null);
        return new ScenarioResult(Scenario, [result], new Dictionary<Metric, MethodRow>(), [], []);
    }
}

using MedMerge.Data;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Experiments.Stages;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments.Benchmarks;

/// <summary>Runs for tests of what is made of them.</summary>
internal static class BenchmarkRuns
{
    private static readonly Dictionary<string, string> Settings = new() { ["fineTune.learningRate"] = "0.001" };

    /// <summary>A run of one scenario with one method.</summary>
    /// <param name="predictions">SHA-256 of the predictions, one entry a seed.</param>
    public static BenchmarkRun Create(string id, string plan = "plan", int planned = 2, params string[] predictions)
    {
        var trials = predictions.Select((hash, seed) => new BenchmarkTrial((ulong)seed, hash, 0.5)).ToList();
        var row = new BenchmarkRow("medmerge", planned, trials.Count == 0 ? null : new Interval(0.5, 0.4, 0.6), trials);
        var scenario = new BenchmarkScenario("breast", "BreastMNIST", "hash", Metric.MacroF1, Source("key"), Settings, [row]);
        var code = new BenchmarkCode("1.0", "build", new Dictionary<string, string> { ["TorchSharp"] = "1" });
        var verdict = new BenchmarkVerdict(null, false, [], [], [], []);
        return new BenchmarkRun("nightly", id, $"nightly-{id}", "title", code, "spec", plan, [scenario], "stages", [], null, verdict);
    }

    /// <summary>One source with the key of its stage.</summary>
    public static Dictionary<string, string> Source(string key) => new() { ["photographs"] = key };

    /// <summary>The scenario of a run, changed.</summary>
    public static BenchmarkRun With(this BenchmarkRun run, Func<BenchmarkScenario, BenchmarkScenario> change) =>
        run with { Scenarios = [.. run.Scenarios.Select(change)] };

    /// <summary>Stages of one kind with their seconds.</summary>
    public static List<BenchmarkStage> Stages(string run, params double[] seconds) =>
        [.. seconds.Select((time, place) => Stage(run, place, time))];

    /// <summary>A stage of a kind.</summary>
    public static BenchmarkStage Stage(string run, int place, double seconds) =>
        new($"place {place}", "fine-tune", $"{run} {place}", Cost: 100, new StageTiming(seconds, IsResumed: false, "a processor"));

    /// <summary>Answers for images whose labels take turns; an image is right if its margin is above 0.</summary>
    public static Predictions Answer(int images, Func<int, double> margin)
    {
        var labels = Enumerable.Range(0, images).Select(image => image % 2).ToArray();
        var probabilities = labels.SelectMany((label, image) =>
        {
            var right = 1 / (1 + Math.Exp(-margin(image)));
            return label == 0 ? new[] { right, 1 - right } : [1 - right, right];
        });
        return new Predictions(Classes: 2, [.. probabilities], labels);
    }

    /// <summary>The answers of some seeds of a method, each of which has a skill of its own.</summary>
    /// <param name="difficulty">By image, common to all.</param>
    /// <param name="ofSeed">Standard deviation of the skill.</param>
    public static List<Predictions> Train(RandomStream random, double[] difficulty, int seeds, double skill, double ofSeed) =>
        [.. Enumerable.Range(0, seeds).Select(_ =>
        {
            var own = skill + (ofSeed * random.NextNormal());
            return Answer(difficulty.Length, image => own + difficulty[image] + (0.5 * random.NextNormal()));
        })];
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary>Results made by hand: no stage is computed for them.</summary>
internal static class SmallResult
{
    /// <summary>One target, a source from a file and a pretrained one, one seed.</summary>
    public static ScenarioSummary Scenario { get; } = new(
        Name: "small",
        Architecture: "resnet20",
        Target: new TargetSummary("scans", IsSynthetic: false, Sha256: "0", TestImages: 4, Mean: [0.5], Deviation: [0.25]),
        Sources:
        [
            new SourceSummary("a", "a (a.safetensors)", Stage: "import-a", Pretraining: null, PretrainingSeed: null),
            new SourceSummary("b", "b (pretrained on cells)", Stage: "pretrain-b", new FineTuneSettings { Epochs = 3 }, PretrainingSeed: 7),
        ],
        Anchor: "a",
        Settings: new ScenarioSettings { Threads = 1 },
        Seeds: [0]);

    /// <summary>A row of the table.</summary>
    public static MethodRow Row(string method, string? source = null) => new(MethodRegistry.Get(method), source);

    /// <summary>A plan of trials.</summary>
    public static PlanSummary Plan(IReadOnlyList<ScenarioSummary> scenarios, params PlannedTrial[] trials) =>
        new("small", Parallel: null, scenarios, Stages: [], trials, Notes: []);

    /// <summary>A trial that leaves a file in each of some roles; its stages are called by its number.</summary>
    public static PlannedTrial Trial(
        int number,
        string method,
        string? source = null,
        ulong seed = 0,
        int scenario = 0,
        params OutputRole[] roles) => new(
        number,
        scenario,
        method,
        source,
        seed,
        Predictions: $"evaluate-{number}",
        Outputs: [.. roles.Select(role => new PlannedOutput(role, $"{role}-{number}", StageFiles.Model))],
        Stages: []);

    /// <summary>A trial's result on four test images and two validation images of two classes, all of the validation right.</summary>
    /// <param name="right">How many of the test images it gets right.</param>
    public static TrialResult Result(PlannedTrial trial, int right, Certificate? certificate = null)
    {
        int[] labels = [0, 1, 0, 1];
        var test = Answer(labels, (label, image) => image < right ? label : 1 - label);
        var validation = Answer(labels[..2], (label, _) => label);
        return new TrialResult(trial, new HeldOutPredictions(validation, test), certificate, LearningRate: null);
    }

    /// <summary>A row with the same interval for every metric.</summary>
    /// <param name="difference">To the rival of each metric; null for the rival itself.</param>
    public static MethodSummary Summary(MethodRow row, Interval score, Interval? difference = null, int seeds = 1) => new(
        row,
        seeds,
        Enum.GetValues<Metric>().ToDictionary(metric => metric, _ => score),
        difference is null ? new Dictionary<Metric, Interval>() : Enum.GetValues<Metric>().ToDictionary(metric => metric, _ => difference));

    /// <summary>A row with a difference to the rival that seeds vary and test images do not.</summary>
    /// <param name="differences">Seed by seed; none for the rival itself.</param>
    public static MethodSummary Summary(MethodRow row, double score, params double[] differences)
    {
        var exact = new Interval(score, score, score);
        if (differences.Length == 0) return Summary(row, exact);
        ulong[] seeds = [.. differences.Index().Select(difference => (ulong)difference.Index)];
        var bySeed = new SeedDifferences(seeds, differences, [.. differences.Select(value => new[] { value, value })], Images: 4);
        var paired = PairedDifference.Of(bySeed);
        return Summary(row, exact, paired.Interval, differences.Length) with
        {
            ToRival = new RivalDifference(paired.Interval, paired.PValue, bySeed),
        };
    }

    /// <summary>The same rival for every metric.</summary>
    public static IReadOnlyDictionary<Metric, MethodRow> Rivals(MethodRow row) =>
        Enum.GetValues<Metric>().ToDictionary(metric => metric, _ => row);

    /// <summary>A certificate of one layer.</summary>
    public static Certificate Certificate(double relative) =>
        new(Images: 4, [new LayerCertificate("conv1", relative, Rms: 1)], new LayerCertificate("features", Difference: 0, Rms: 1));

    private static Predictions Answer(int[] labels, Func<int, int, int> answer)
    {
        var probabilities = labels.SelectMany((label, image) => answer(label, image) == 0 ? new[] { 0.75, 0.25 } : [0.25, 0.75]);
        return new Predictions(Classes: 2, [.. probabilities], labels);
    }
}

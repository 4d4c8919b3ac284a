using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Experiments;

/// <summary>What went less well in training than the scores show must reach the reader of the table.</summary>
public class TrainingNotesTests
{
    private static readonly SpecificationBuilder Small = new()
    {
        Methods = "[average]",
        Seeds = 2,
        FineTune = "{ epochs: 1, batchSize: 8 }",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_probe_that_ends_before_its_optimum_has_the_gradient_that_remains()
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        int[] labels = [.. Enumerable.Range(0, 60).Select(i => i % 3)];
        var values = labels.SelectMany(label => Enumerable.Range(0, 5).Select(j => random.NextNormal() + (j == label ? 1.5 : 0)));
        var features = tensor([.. values]).view(60, 5);

        var stopped = LinearProbe.Fit(features, labels, 3, decay: 0.01, Cancellation, iterations: 2);
        var converged = LinearProbe.Fit(features, labels, 3, decay: 0.01, Cancellation);

        Assert.True(stopped.RemainingGradient > LinearProbe.GradientTolerance);
        Assert.Null(converged.RemainingGradient);
        // The file of a probe that converged is what it was before there was such a property.
        var names = System.Text.Json.JsonDocument.Parse(StageFiles.Write(converged)).RootElement.EnumerateObject();
        Assert.Equal(["Weight", "Bias", "Classes"], names.Select(property => property.Name));
    }

    /// <summary>As of a network that was merged with an untrained one.</summary>
    [Fact]
    public void A_probe_reaches_its_optimum_on_features_of_very_different_sizes()
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        int[] labels = [.. Enumerable.Range(0, 40).Select(i => i % 4)];
        var values = labels.SelectMany(label =>
            Enumerable.Range(0, 32).Select(j => Math.Pow(10, (j % 5) - 2) * (3 + random.NextNormal() + (j == label ? 1.5 : 0))));
        var head = LinearProbe.Fit(tensor([.. values]).view(40, 32), labels, 4, decay: 0.01, Cancellation);
        Assert.Null(head.RemainingGradient);
    }

    [Fact]
    public void Its_stage_warns()
    {
        var warnings = new List<string>();
        var context = new StageContext(null!, null!, null!, null!, null!, warnings.Add, default);

        ProbeStage.WarnIfUnconverged(new Head([0], [0]) { RemainingGradient = 0.00012 }, context);
        ProbeStage.WarnIfUnconverged(new Head([0], [0]), context);

        Assert.StartsWith(
            "The linear probe ended before its optimum: the largest entry of its gradient is 1.2e-4, and 1e-6 was wanted.",
            Assert.Single(warnings),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_has_a_note()
    {
        var result = await RunAsync(Small.BuildPlan(), new UnconvergedProbes(), []);

        const string Note = "The linear probe ended before its optimum in 2 of 2 trials of average: " +
                            "the largest entry of its gradient is 1.2e-4, and 1e-6 was wanted.";
        Assert.Contains(Note, ScenarioTable.Of(result).Notes);
        Assert.Contains(Note, ComparisonTable.Render(result), StringComparison.Ordinal);
    }

    [Fact]
    public void A_learning_rate_at_which_training_diverged_is_named_with_its_trials()
    {
        var low = new LearningRateTry(0.001, default(Validation));
        var choice = new LearningRateChoice(0.001, [low, new LearningRateTry(0.003, Best: null)]);
        var converged = new LearningRateChoice(0.003, [low, new LearningRateTry(0.003, default(Validation))]);
        var result = new ScenarioResult(
            SmallResult.Scenario,
            [
                SmallResult.Result(SmallResult.Trial(1, "scratch"), right: 4) with { LearningRate = choice },
                SmallResult.Result(SmallResult.Trial(2, "scratch", seed: 1), right: 4) with { LearningRate = converged },
                SmallResult.Result(SmallResult.Trial(3, "fine-tune", "a"), right: 4) with { LearningRate = choice },
                SmallResult.Result(SmallResult.Trial(4, "average"), right: 4),
            ],
            SmallResult.Rivals(SmallResult.Row("fine-tune", "a")),
            Summaries: [],
            Comparisons: []);

        Assert.Contains(
            "Training diverged at learning rates that were tried, and so were not chosen: " +
            "at 0.003 in 1 of 2 trials of scratch, 1 of 1 trials of fine-tune a.",
            ScenarioTable.Of(result).Notes);
    }

    [Fact]
    public async Task Where_all_converged_there_is_neither()
    {
        var warnings = new List<string>();

        var result = await RunAsync(Small.BuildPlan(), new CountingStageStore(), warnings);

        Assert.Empty(warnings);
        Assert.Empty(TrainingNotes.Of(result));
    }

    private static Task<ScenarioResult> RunAsync(Plan plan, IStageStore store, List<string> warnings) =>
        PlanRun.RunAsync(plan, store, onWarning: (stage, warning) => warnings.Add($"{stage}: {warning}"));

    /// <summary>A store in which no probe has reached its optimum.</summary>
    private sealed class UnconvergedProbes : IStageStore
    {
        private readonly MemoryStageStore _store = new();

        public Task<StageOutput?> FindAsync(string key, CancellationToken cancellation) => _store.FindAsync(key, cancellation);

        public ICheckpoints Checkpoints(string key) => _store.Checkpoints(key);

        public Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
        {
            if (stage == ProbeStage.StageName)
            {
                var head = StageFiles.Read<Head>(output, StageFiles.Head) with { RemainingGradient = 0.00012 };
                output = new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Head] = StageFiles.Write(head) });
            }
            return _store.SaveAsync(key, stage, output, cancellation);
        }
    }
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary><c>select: best</c>: a merge that is not better than the best single source gives way to it.</summary>
public class KeepBestTests
{
    private static readonly SpecificationBuilder Specification = new()
    {
        Methods = "[medmerge, fine-tune]",
        FineTune = "{ epochs: 1, batchSize: 8 }",
        Select = "best",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.9, 0.8, 0.7, 0)]
    [InlineData(0.7, 0.6, 0.8, 2)]
    [InlineData(0.7, 0.8, 0.8, 1)] // of equal single sources the first
    public void The_merge_is_kept_only_where_it_is_better(double merge, double first, double second, int kept)
    {
        Validation[] scores = [new(merge, Loss: 0.5), new(first, Loss: 0.5), new(second, Loss: 0.5)];

        Assert.Equal(kept, KeepBestStage.Choose(scores, Metric.MacroF1));
    }

    [Fact]
    public void A_merge_that_is_as_good_is_not_kept() =>
        Assert.Equal(1, KeepBestStage.Choose([new(0.8, Loss: 0.5), new(0.8, Loss: 0.5)], Metric.MacroF1));

    [Fact]
    public async Task The_row_its_model_and_a_note_are_of_what_was_kept()
    {
        var plan = Specification.BuildPlan();
        var store = new MemoryStageStore();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        foreach (var trial in plan.Trials) await runner.OutputAsync(trial.Predictions, (_, _) => { }, Cancellation);
        var summary = PlanSummary.Of(plan);

        var sweep = await SweepResult.ReadAsync(
            summary, summary.Trials, new Dictionary<int, MissingState>(), store, Cancellation);

        var result = sweep.Scenarios.Single();
        var selection = result.Trials[0].Selection!;
        Assert.Equal(["medmerge", "fine-tune a", "fine-tune b"], selection.Candidates.Select(candidate => candidate.Row));
        var best = selection.Candidates.Single(candidate => candidate.Row == selection.Kept);
        Assert.All(selection.Candidates, candidate => Assert.False(candidate.Validation.IsBetterThan(best.Validation)));
        if (!selection.IsMergeKept)
        {
            var kept = result.Trials.Single(trial => trial.Trial.Row.Title == selection.Kept);
            Assert.Equal(kept.Test.MacroF1, result.Trials[0].Test.MacroF1);
            Assert.Equal(await ReadModelAsync(kept.Trial), await ReadModelAsync(result.Trials[0].Trial));
        }
        Assert.Contains("select: best kept", ComparisonTable.Render(result), StringComparison.Ordinal);

        Task<byte[]> ReadModelAsync(PlannedTrial trial)
        {
            var output = trial.FindOutput(OutputRole.Model)!;
            return store.GetFileAsync(output.Stage, output.Artefact, Cancellation);
        }
    }

    [Fact]
    public void It_needs_a_single_source_to_compare_with()
    {
        var error = Assert.ThrowsAny<InputException>(() => (Specification with { Methods = "[medmerge, average]" }).BuildPlan());

        Assert.Contains("add one of fine-tune, lp-ft, wise-ft, restored", error.Message, StringComparison.Ordinal);
    }
}

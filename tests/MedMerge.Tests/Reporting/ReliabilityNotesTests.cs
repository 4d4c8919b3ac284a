using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Reporting;
using MedMerge.Tests.Experiments;
using MedMerge.Training;

namespace MedMerge.Tests.Reporting;

public class ReliabilityNotesTests
{
    [Fact]
    public void Few_seeds_a_small_test_set_and_unknown_training_images_are_said()
    {
        var notes = ReliabilityNotes.Of(Compare(SmallResult.Scenario, Merged([])));

        Assert.Contains("Few seeds: 1 seed where a verdict takes 5, so no interval tells what another seed would change.", notes);
        Assert.Contains(notes, note => note.StartsWith("Small test set: of 4 images each is worth 25.0 points", Ordinal));
        Assert.Contains(notes, note => note.StartsWith("Small classes: among the test images there are only 2 of 0, 2 of 1", Ordinal));
        Assert.Contains(notes, note => note.StartsWith("Leakage: what a was trained on is not known here", Ordinal));
    }

    /// <summary>Validation can't tell the sources apart, and the first of equal ones is chosen.</summary>
    [Fact]
    public void Another_single_source_that_is_better_on_test_is_named_with_the_points_that_differ()
    {
        var scenario = SmallResult.Scenario with { Target = SmallResult.Scenario.Target with { ValidationImages = 2 } };
        var result = Compare(
            scenario,
            SmallResult.Result(SmallResult.Trial(1, "fine-tune", "a"), right: 2),
            SmallResult.Result(SmallResult.Trial(2, "fine-tune", "b"), right: 4));

        var note = ReliabilityNotes.Of(result).Single(note => note.StartsWith("The best single source", Ordinal));

        Assert.Equal(
            "The best single source was chosen on 2 validation images: fine-tune a has macro F1 100.0 there and 50.0 on test (−50.0 " +
            "points). On test fine-tune b is better (100.0; on validation 100.0): against it, each difference would be 50.0 points less.",
            note);
    }

    [Theory]
    [InlineData(0.2, "It started nearly there", 0.1)]
    [InlineData(0.2, "Learning went there", 0.9)]
    public void Kernel_weights_of_one_source_alone_are_said_with_why(double score, string why, double start)
    {
        EpochRecord[] learning = [Epoch(0, score, start), Epoch(1, score + 0.1, entropy: 0.05)];

        var notes = ReliabilityNotes.Of(Compare(SmallResult.Scenario, Merged(learning)));

        var note = notes.Single(note => note.StartsWith("Degenerate kernel weights: in 1 of 1 trials of medmerge", Ordinal));
        Assert.Contains(why, note, StringComparison.Ordinal);
        Assert.EndsWith("and is 5.0 %.", note, StringComparison.Ordinal);
    }

    [Fact]
    public void Kernel_weights_that_stayed_where_they_started_are_said()
    {
        EpochRecord[] learning = [Epoch(0, score: 0.5, entropy: 1), Epoch(1, score: 0.5, entropy: 0.9)];

        var notes = ReliabilityNotes.Of(Compare(SmallResult.Scenario, Merged(learning)));

        Assert.Contains(notes, note => note.StartsWith("Kernel weights that were not learned: in 1 of 1 trials of medmerge", Ordinal));
        Assert.DoesNotContain(notes, note => note.StartsWith("Degenerate", Ordinal));
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static EpochRecord Epoch(int epoch, double score, double entropy) =>
        new(epoch, Loss: 1, new Validation(score, Loss: 1), entropy);

    private static TrialResult Merged(IReadOnlyList<EpochRecord> learning) =>
        SmallResult.Result(SmallResult.Trial(9, "medmerge"), right: 3) with { WeightLearning = learning };

    private static ScenarioResult Compare(ScenarioSummary scenario, params TrialResult[] trials) =>
        ScenarioResult.Compare(scenario, trials, missing: [], TestContext.Current.CancellationToken);
}

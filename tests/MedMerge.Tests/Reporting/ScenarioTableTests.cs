using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Results;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tests.Experiments;

namespace MedMerge.Tests.Reporting;

public class ScenarioTableTests
{
    /// <summary>What a page needs: no Markdown, and a cell for each column.</summary>
    [Fact]
    public void A_table_has_a_row_for_each_method_and_a_cell_for_each_column()
    {
        var score = new Interval(0.8, 0.7, 0.9);
        var rival = SmallResult.Summary(SmallResult.Row("fine-tune", "a"), score);
        var proposed = SmallResult.Summary(SmallResult.Row("medmerge"), score, new Interval(0.05, 0.01, 0.09));
        var result = new ScenarioResult(
            SmallResult.Scenario,
            Trials: [],
            SmallResult.Rivals(rival.Method),
            Summaries: [proposed, rival],
            Comparisons: []);

        var table = ScenarioTable.Of(result);

        Assert.Equal(["method", "macro F1", "accuracy", "AUC", "Δ F1", "Δ AUC"], table.Header);
        Assert.Equal(
            [
                ["medmerge", "80.0 ± 10.0", "80.0 ± 10.0", "80.0 ± 10.0", "+5.0 [+1.0, +9.0]", "+5.0 [+1.0, +9.0]"],
                ["fine-tune a", "80.0 ± 10.0", "80.0 ± 10.0", "80.0 ± 10.0", "–", "–"],
            ],
            table.Rows);
        Assert.Equal(["a (a.safetensors)", "b (pretrained on cells)"], table.Sources);
        Assert.Equal("defaults", table.Settings);
        Assert.Equal(2, table.Notes.Count);
        Assert.Equal(Verdict.Of(result), table.VerdictText);
        Assert.Equal("Nothing was merged.", table.CertificateText);
    }
}

using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Merging;
using MedMerge.Reporting;
using MedMerge.Reporting.Report;
using MedMerge.Testing;
using MedMerge.Tests.Experiments;
using MedMerge.Training;

namespace MedMerge.Tests.Reporting;

/// <summary>Learning curves and kernel weights come from a run's files; the report has them as <c>results.json</c> has.</summary>
public class TrainingReportTests
{
    private static readonly SpecificationBuilder Specification = new()
    {
        Methods = "[medmerge, fine-tune]",
        Seeds = 2,
        FineTune = "{ epochs: 2, batchSize: 8 }",
    };

    [Fact]
    public async Task A_runs_first_seeds_have_curves_and_kernel_weights_and_other_seeds_how_alpha_was_learned()
    {
        var plan = Specification.BuildPlan();

        var result = await PlanRun.RunAsync(plan, new CountingStageStore());

        foreach (var row in result.Trials.GroupBy(trial => trial.Trial.Row))
        {
            Assert.NotEmpty(row.First().Training!.FineTuning);
            Assert.All(row.Skip(1), trial => Assert.Null(trial.Training));
        }
        var merged = result.Trials.Where(trial => trial.Trial.Row.Method.Name == "medmerge").ToList();
        Assert.All(merged, trial => Assert.NotEmpty(trial.WeightLearning));
        var alpha = merged[0].Training!.Alpha!;
        Assert.Equal(result.Scenario.Sources.Select(source => source.Name), alpha.Sources);
        Assert.All(alpha.Layers, layer => Assert.Equal(1, layer.Sources.Sum(source => source.Mean), precision: 9));
        var means = merged[0].Training!.LayerMeans;
        Assert.Equal(merged[0].WeightLearning.Count, means.Count);
        Assert.All(means[0], layer => Assert.Equal([0.9, 0.1], layer)); // the start
        var kept = TrainingRecord.FindBest(merged[0].WeightLearning, result.Metric);
        Assert.All(alpha.Layers.Zip(means[kept]), layer => Assert.Equal(layer.First.Sources[0].Mean, layer.Second[0], tolerance: 1e-4));
        Assert.NotNull(merged[0].Training!.FindKept(merged[0].LearningRate!.Tries[0].Best));

        var summary = PlanSummary.Of(plan);
        Assert.Equal(Specification.Yaml, summary.Text);
        Assert.All(summary.Scenarios[0].Sources, source => Assert.NotEmpty(source.Origins));
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        var page = Parse(ReportPage.Render(new SweepResult(summary, [result], new Dictionary<int, MissingState>())));
        CheckCurves(page, json.RootElement.GetProperty("trials").EnumerateArray().ToList());
    }

    [Fact]
    public void A_heat_map_shows_how_each_layers_mean_moved()
    {
        double[][] start = [[0.9, 0.1], [0.9, 0.1]], first = [[0.8, 0.2], [0.9, 0.1]], last = [[0.7, 0.3], [0.95, 0.05]];

        var map = XElement.Parse(KernelWeightPathFigure.Draw("moved", ["conv1", "conv2"], source: 0, [start, first, last]).ToString());

        string[] titles = ["conv1, epoch 1: −10.0", "conv2, epoch 1: 0.0", "conv1, epoch 2: −20.0", "conv2, epoch 2: +5.0"];
        Assert.Equal(titles, map.Descendants("title").Select(title => title.Value));
        Assert.Equal(["less", "more", "less", "more"], map.Descendants("rect").Select(cell => cell.Attribute("class")!.Value));
        const string label = "Change of the kernel weights by epoch 2 in points: from −20.0 (conv1) to +5.0 (conv2)";
        Assert.Equal(label, map.Descendants("svg").Single().Attribute("aria-label")!.Value);
    }

    [Fact]
    public void Of_many_epochs_some_have_a_row_and_the_last()
    {
        var means = Enumerable.Range(0, 101).Select(epoch => (double[][])[[0.9 - (epoch * 0.001)]]).ToList();

        var map = XElement.Parse(KernelWeightPathFigure.Draw("moved", ["conv1"], source: 0, means).ToString());

        var titles = map.Descendants("title").Select(title => title.Value).ToList();
        Assert.InRange(titles.Count, 8, 16);
        Assert.Equal("conv1, epoch 100: −10.0", titles[^1]);
    }

    [Fact]
    public void A_heat_map_has_each_layers_mean_and_deviation()
    {
        WeightSpread[] first = [new(0.25, 0.125), new(0.75, 0.125)], second = [new(1, 0), new(0, 0)];
        var weights = new KernelWeightSummary(["a", "b"], [new LayerWeights("conv1", first), new LayerWeights("conv2", second)]);

        var map = XElement.Parse(KernelWeightFigure.DrawMap("α", weights).ToString());

        string[] titles = ["conv1, a: 25.0 ± 12.5", "conv1, b: 75.0 ± 12.5", "conv2, a: 100.0 ± 0.0", "conv2, b: 0.0 ± 0.0"];
        Assert.Equal(titles, map.Descendants("title").Select(title => title.Value));
        var svg = map.Descendants("svg").Single();
        Assert.Equal("Kernel weights of 2 layers in per cent, means over layers: a 62.5, b 37.5", svg.Attribute("aria-label")!.Value);
    }

    [Fact]
    public void Kernel_weights_are_summarised_by_layer_and_source()
    {
        var alpha = KernelWeightMatrix.Uniform("resnet20", sources: 2);
        alpha[0, layer: 0, filter: 0] = 1;
        alpha[1, layer: 0, filter: 0] = 0;

        var summary = KernelWeightSummary.Of(["a", "b"], alpha);

        Assert.Equal(alpha.Layers, summary.Layers.Select(layer => layer.Layer));
        var filters = alpha.Row(0, 0).Length;
        Assert.Equal(0.5 + (0.5 / filters), summary.Layers[0].Sources[0].Mean, precision: 12);
        Assert.Equal(0.5 * Math.Sqrt(filters - 1) / filters, summary.Layers[0].Sources[1].Deviation, precision: 12);
        Assert.Equal(new WeightSpread(0.5, 0), summary.Layers[1].Sources[0]);
    }

    /// <summary>A sweep of many scenarios stays a page that can be sent.</summary>
    [Fact]
    public void Curves_are_left_out_of_a_report_of_many_scenarios()
    {
        EpochRecord[] epochs = [.. Enumerable.Range(0, 50).Select(epoch => new EpochRecord(epoch, 1, new Validation(0.5, 1)))];
        var trained = SmallResult.Result(SmallResult.Trial(1, "fine-tune", "a"), right: 3) with { Training = new(epochs, null) };

        Assert.Contains("Learning curves", Render(scenarios: 20), StringComparison.Ordinal);
        var many = Render(scenarios: 21);
        Assert.DoesNotContain("<h3>Learning curves", many, StringComparison.Ordinal);
        Assert.Contains("There are more than 20 scenarios", many, StringComparison.Ordinal);

        string Render(int scenarios)
        {
            var summaries = Enumerable.Range(1, scenarios).Select(i => SmallResult.Scenario with { Name = $"s{i}" }).ToList();
            var results = summaries.ConvertAll(summary =>
                ScenarioResult.Compare(summary, [trained], missing: [], TestContext.Current.CancellationToken));
            return ReportPage.Render(new SweepResult(SmallResult.Plan(summaries), results, new Dictionary<int, MissingState>()));
        }
    }

    [Theory]
    [InlineData(0, 1, "0 1")]
    [InlineData(0, 11, "0 2 4 6 8 10")]
    [InlineData(1, 19, "5 10 15")]
    public void An_axis_of_steps_marks_whole_ones_and_ends_where_they_end(int first, int last, string marks)
    {
        var axis = Axis.OfSteps(first, last, start: 0, end: 100);

        Assert.Equal(marks, string.Join(' ', axis.Ticks));
        Assert.Equal((0, 100), (axis.Place(first), axis.Place(last)));
    }

    /// <summary>What the charts say to who does not see them is of the first and the last epoch in the results.</summary>
    private static void CheckCurves(XElement page, IReadOnlyList<JsonElement> trials)
    {
        var labels = page.Descendants("svg").Select(svg => svg.Attribute("aria-label")!.Value).ToList();
        foreach (var trial in trials.Where(trial => trial.GetProperty("fineTuning").ValueKind == JsonValueKind.Array))
        {
            var epochs = trial.GetProperty("fineTuning").EnumerateArray().ToList();
            var label = labels.Single(label => label.StartsWith($"{trial.GetProperty("method")}: fine-tuning", StringComparison.Ordinal));
            Assert.Contains(
                $"validation loss from {Loss(epochs[0], "validationLoss")} to {Loss(epochs[^1], "validationLoss")}, " +
                $"training loss from {Loss(epochs[1], "loss")} to {Loss(epochs[^1], "loss")}",
                label,
                StringComparison.Ordinal);
        }
        var weights = trials[0].GetProperty("kernelWeights");
        var maps = page.Descendants("svg").Where(svg => (string?)svg.Attribute("class") == "map").ToList();
        var titles = maps[0].Descendants("title");
        var sources = weights.GetProperty("sources").EnumerateArray().Select(source => source.GetString()!).ToList();
        var cells =
            from layer in weights.GetProperty("layers").EnumerateArray()
            from source in sources.Index()
            let mean = Percent(layer.GetProperty("mean")[source.Index])
            let deviation = Percent(layer.GetProperty("deviation")[source.Index])
            select $"{layer.GetProperty("layer")}, {source.Item}: {mean} ± {deviation}";
        Assert.Equal(cells, titles.Select(title => title.Value));

        var means = trials[0].GetProperty("kernelWeightMeans").EnumerateArray().ToList();
        var changes =
            from epoch in Enumerable.Range(1, means.Count - 1)
            from layer in weights.GetProperty("layers").EnumerateArray().Index()
            let change = means[epoch][layer.Index][0].GetDouble() - means[0][layer.Index][0].GetDouble()
            let points = (100 * change).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture)
            select $"{layer.Item.GetProperty("layer")}, epoch {epoch}: {points}";
        Assert.Equal(changes, maps[1].Descendants("title").Select(title => title.Value));
    }

    private static string Loss(JsonElement epoch, string name) =>
        epoch.GetProperty(name).GetDouble().ToString("0.000", CultureInfo.InvariantCulture);

    private static string Percent(JsonElement share) => (100 * share.GetDouble()).ToString("0.0", CultureInfo.InvariantCulture);

    private static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader).Root!;
    }
}

using System.Text.Json;
using System.Xml.Linq;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Reporting;
using MedMerge.Reporting.Report;
using MedMerge.Tests.Experiments;
using static MedMerge.Tests.Reporting.ReportReader;

namespace MedMerge.Tests.Reporting;

/// <summary>The report is whole, needs nothing else, and says the numbers of <c>results.json</c>.</summary>
public class ReportPageTests
{
    private const string Hostile = "<script>alert(1)</script> & \"quotes\"";

    [Fact]
    public void The_verdict_comes_first_and_every_number_is_that_of_the_results()
    {
        var result = Of(SmallResult.Scenario);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));

        var page = Parse(ReportPage.Render(result));

        var header = page.Descendants("header").Single();
        Assert.Equal(Verdict.Split(result.Scenarios[0]).Outcome, header.Elements("p").First(p => Class(p) == "verdict").Value);
        var rows = ReadTable(page, "Means over seeds").ToDictionary(row => row.Key.Split(" (")[0], row => row.Value);
        var methods = json.RootElement.GetProperty("methods").EnumerateArray().ToList();
        Assert.Equal(methods.Count, rows.Count);
        foreach (var method in methods)
        {
            var cells = rows[method.GetProperty("method").GetString()!];
            var score = method.GetProperty("scores").GetProperty("macroF1").GetProperty("estimate").GetDouble();
            Assert.StartsWith(Percent(score, "0.0"), cells[0], StringComparison.Ordinal);
            Assert.StartsWith(ReadScore("accuracy"), cells[1], StringComparison.Ordinal);
            Assert.StartsWith(ReadScore("auc"), cells[2], StringComparison.Ordinal);
            var differences = method.GetProperty("differenceToBestSingleSource");
            if (differences.ValueKind == JsonValueKind.Null)
            {
                Assert.Equal("–", cells[3]);
                continue;
            }
            var difference = differences.GetProperty("macroF1").GetProperty("estimate").GetDouble();
            Assert.StartsWith(Percent(difference, "+0.0;−0.0;0.0"), cells[3], StringComparison.Ordinal);

            string ReadScore(string name) =>
                Percent(method.GetProperty("scores").GetProperty(name).GetProperty("estimate").GetDouble(), "0.0");
        }
    }

    [Fact]
    public void Numbers_of_classes_and_of_calibration_are_those_of_the_results()
    {
        var result = Of(SmallResult.Scenario);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        var single = json.RootElement.GetProperty("methods").EnumerateArray().Single(row => Text(row, "method") == "fine-tune a");
        var trial = json.RootElement.GetProperty("trials").EnumerateArray().Single(row => Text(row, "method") == "fine-tune a");

        var page = Parse(ReportPage.Render(result));

        var classes = trial.GetProperty("test").GetProperty("classes").EnumerateArray().ToList();
        string[] names = ["precision", "recall", "f1", "auc"];
        Assert.Equal(
            classes.Select(score => names.Select(name => Percent(score.GetProperty(name).GetDouble(), "0.0"))),
            ReadTable(page, "fine-tune a: means").Select(row => row.Value.Skip(1)));
        var confusion = single.GetProperty("confusion").EnumerateArray().Select(row => row.EnumerateArray().ToList()).ToList();
        Assert.Equal(
            confusion.Select(row => row.Select(count => Percent(count.GetDouble() / row.Sum(cell => cell.GetDouble()), "0.0"))),
            ReadTable(page, "fine-tune a: of each class").Select(row => row.Value));
        var bins = single.GetProperty("calibration").EnumerateArray().Select(bin =>
            $"{bin.GetProperty("answers").GetInt32()} answers of {Percent(bin.GetProperty("confidence").GetDouble(), "0.0")} % " +
            $"confidence, {Percent(bin.GetProperty("accuracy").GetDouble(), "0.0")} % right");
        var dots = page.Descendants("svg").Last(svg => Label(svg).StartsWith("fine-tune a", StringComparison.Ordinal)).Descendants("title");
        Assert.Equal(bins, dots.Select(dot => dot.Value));
    }

    /// <summary>What a figure shows is written beside its rows, as the table has it.</summary>
    [Fact]
    public void A_figure_has_a_row_for_each_method_with_the_tables_text()
    {
        var result = Of(SmallResult.Scenario);
        var table = ScenarioTable.Of(result.Scenarios[0]);

        var figures = Parse(ReportPage.Render(result)).Descendants("figure").ToList();

        var scores = figures[0].Descendants("g").Select(row => row.Element("title")!.Value);
        Assert.Equal(table.Rows.Select(row => $"{row[0]}: {row[1]}"), scores);
        var differences = figures[1].Descendants("g").Select(row => row.Element("title")!.Value);
        Assert.Equal(table.Rows.Where(row => row[4] != "–").Select(row => $"{row[0]}: {row[4]}"), differences);
    }

    [Fact]
    public void Names_are_never_markup()
    {
        var scenario = SmallResult.Scenario with { Name = Hostile, Target = SmallResult.Scenario.Target with { Name = Hostile } };
        var result = Of(scenario);

        var page = Parse(ReportPage.Render(result with { Plan = result.Plan with { Name = Hostile, Notes = [Hostile] } }));

        Assert.Empty(page.Descendants("script"));
        Assert.Equal(Hostile, page.Descendants("h1").Single().Value);
        Assert.Equal(Hostile, page.Descendants("li").First().Value);
    }

    [Fact]
    public void It_names_no_other_file()
    {
        var page = Parse(ReportPage.Render(Of(SmallResult.Scenario, SmallResult.Scenario with { Name = "other" })));

        var links = page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "href" or "src").ToList();
        Assert.Equal(["#scenario-1", "#scenario-2"], links.Select(link => link.Value));
        var sections = page.Descendants("section").Select(section => "#" + section.Attribute("id")!.Value);
        Assert.Equal(links.Select(link => link.Value), sections);
        Assert.DoesNotContain("url(", ReportStyle.Css, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", ReportStyle.Css, StringComparison.Ordinal);
    }

    [Fact]
    public void It_asks_no_other_machine_for_anything()
    {
        var page = Parse(ReportPage.Render(Of(SmallResult.Scenario)));

        string[] loading = ["link", "script", "img", "image", "iframe", "object", "embed", "use", "base", "form", "audio", "video"];
        Assert.DoesNotContain(page.Descendants(), element => loading.Contains(element.Name.LocalName));
        Assert.DoesNotContain(page.Descendants().Attributes(), attribute =>
            attribute.Value.Contains("//", StringComparison.Ordinal) || attribute.Value.Contains("url(", StringComparison.Ordinal));
        Assert.DoesNotContain("//", ReportStyle.Css, StringComparison.Ordinal);
    }

    [Fact]
    public void The_specification_and_every_input_are_at_the_end()
    {
        SourceOrigin[] origins = [new("cells", "c0ffee")];
        var sources = SmallResult.Scenario.Sources.Select(source => source with { Origins = origins }).ToList();
        var result = Of(SmallResult.Scenario with { Sources = sources });

        var page = Parse(ReportPage.Render(result with { Plan = result.Plan with { Text = $"name: small # {Hostile}" } }));

        Assert.Equal($"name: small # {Hostile}", page.Descendants("pre").Single().Value);
        var lineage = ReadTable(page, "Inputs by their content");
        Assert.Contains(lineage, row => row is { Key: "source b: made of", Value: ["cells: c0ffee"] });
        Assert.StartsWith("scans: 0;", lineage.Single(row => row.Key == "target").Value[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Figures_say_what_they_show_to_who_does_not_see_them()
    {
        var page = Parse(ReportPage.Render(Of(SmallResult.Scenario)));

        Assert.All(page.Descendants("svg"), svg =>
        {
            Assert.Equal("img", svg.Attribute("role")?.Value);
            Assert.NotEqual("", Label(svg));
        });
    }

    [Fact]
    public void What_has_no_result_is_said_above_the_figures()
    {
        MissingTrial[] missing = [new(SmallResult.Trial(9, "medmerge", seed: 1), MissingState.Failed)];
        var scenario = ScenarioResult.Compare(
            SmallResult.Scenario with { Seeds = [0, 1] },
            Trials(0),
            missing,
            TestContext.Current.CancellationToken);
        var plan = SmallResult.Plan([scenario.Scenario]);

        var page = Parse(ReportPage.Render(new SweepResult(plan, [scenario], new Dictionary<int, MissingState>())));

        var warning = page.Descendants("header").Single().Elements("p").Single(p => Class(p) == "warning").Value;
        Assert.StartsWith("INCOMPLETE: 1 of 4 trials failed", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void One_scenario_of_several_is_not_shown_as_the_whole()
    {
        var whole = Of(SmallResult.Scenario, SmallResult.Scenario with { Name = "other" });

        var page = Parse(ReportPage.Render(whole with { Scenarios = [whole.Scenarios[0]] }));

        var warning = page.Descendants("header").Single().Elements("p").Single(p => Class(p) == "warning").Value;
        Assert.Equal("INCOMPLETE: 1 of 2 scenarios have results so far.", warning);
        Assert.Equal("small", page.Descendants("section").Single().Element("h2")!.Value);
    }

    private static SweepResult Of(params ScenarioSummary[] scenarios)
    {
        var results = scenarios.Index().Select(scenario =>
            ScenarioResult.Compare(scenario.Item, Trials(scenario.Index), [], TestContext.Current.CancellationToken));
        return new SweepResult(SmallResult.Plan(scenarios), [.. results], new Dictionary<int, MissingState>());
    }

    private static List<TrialResult> Trials(int scenario) =>
    [
        SmallResult.Result(SmallResult.Trial(1, "medmerge", scenario: scenario), right: 4),
        SmallResult.Result(SmallResult.Trial(2, "fine-tune", "a", scenario: scenario), right: 3),
        SmallResult.Result(SmallResult.Trial(3, "self-scale", scenario: scenario), right: 2),
    ];
}

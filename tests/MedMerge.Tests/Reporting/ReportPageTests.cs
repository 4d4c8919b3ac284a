using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Reporting;
using MedMerge.Reporting.Report;
using MedMerge.Tests.Experiments;

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
        var rows = page.Descendants("table")
            .Single(table => table.Element("caption")!.Value.StartsWith("Means over seeds", StringComparison.Ordinal))
            .Element("tbody")!
            .Elements("tr")
            .ToDictionary(row => row.Element("th")!.Value.Split(" (")[0], row => row.Elements("td").Select(cell => cell.Value).ToList());
        var methods = json.RootElement.GetProperty("methods").EnumerateArray().ToList();
        Assert.Equal(methods.Count, rows.Count);
        foreach (var method in methods)
        {
            var cells = rows[method.GetProperty("method").GetString()!];
            var score = method.GetProperty("scores").GetProperty("macroF1").GetProperty("estimate").GetDouble();
            Assert.StartsWith(Percent(score, "0.0"), cells[0], StringComparison.Ordinal);
            var differences = method.GetProperty("differenceToBestSingleSource");
            if (differences.ValueKind == JsonValueKind.Null)
            {
                Assert.Equal("–", cells[3]);
                continue;
            }
            var difference = differences.GetProperty("macroF1").GetProperty("estimate").GetDouble();
            Assert.StartsWith(Percent(difference, "+0.0;−0.0;0.0"), cells[3], StringComparison.Ordinal);
        }
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
        Assert.Equal(Hostile, page.Descendants("li").Single().Value);
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

    /// <summary>The page is well-formed XML besides, so that a tag that was left open is found.</summary>
    private static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader).Root!;
    }

    private static string? Class(XElement element) => element.Attribute("class")?.Value;

    private static string Percent(double share, string format) => (100 * share).ToString(format, CultureInfo.InvariantCulture);
}

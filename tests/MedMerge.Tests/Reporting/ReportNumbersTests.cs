using System.Text.Json;
using System.Xml.Linq;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Reporting.Report;
using MedMerge.Tests.Experiments;
using static MedMerge.Tests.Reporting.ReportReader;

namespace MedMerge.Tests.Reporting;

/// <summary>
/// Every number in the report's tables is that of <c>results.json</c>, rounded: of seeds with their intervals, of a sweep, of a search.
/// </summary>
public class ReportNumbersTests
{
    private const string Signed = "+0.0;−0.0;0.0";
    private static readonly ulong[] Seeds = [0, 1, 2];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Intervals_of_scores_and_of_differences()
    {
        var (page, json) = await RenderAsync(Compare("small", SmallResult.Scenario, bonus: 1));

        var rows = ReadTable(page, "Means over seeds").ToDictionary(row => row.Key.Split(" (")[0], row => row.Value);
        var methods = json.GetProperty("methods").EnumerateArray().ToList();
        Assert.Equal(methods.Count, rows.Count);
        foreach (var method in methods)
        {
            var scores = method.GetProperty("scores");
            var expected = new[] { "macroF1", "accuracy", "auc" }.Select(name => FormatMean(scores.GetProperty(name))).ToList();
            var differences = method.GetProperty("differenceToBestSingleSource");
            expected.AddRange(differences.ValueKind == JsonValueKind.Null
                ? ["–", "–"]
                : new[] { "macroF1", "auc" }.Select(name => FormatInterval(differences.GetProperty(name))));
            Assert.Equal(expected, rows[Text(method, "method")]);
        }
        Assert.Contains(rows.Values, cells => cells[0].Contains('±', StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sweeps_methods_and_the_effects_of_its_settings()
    {
        var (page, json) = await RenderAsync([.. CreateScenarios()]);

        var overall = json.GetProperty("overall");
        var expected = overall.GetProperty("methods").EnumerateArray().Select(method => (List<string>)
        [
            $"{method.GetProperty("scenarios")}",
            $"{method.GetProperty("targets")}",
            $"{method.GetProperty("meanRank").GetDouble():0.0}",
            FormatInterval(method.GetProperty("difference")),
            $"{method.GetProperty("verdicts")}",
            Count(method, "helped"),
            Count(method, "harmed"),
        ]).ToList();
        Assert.Equal(3, expected.Count);
        Assert.Equal(expected, ReadTable(page, "All 4 scenarios together").Select(row => row.Value));

        var effects = overall.GetProperty("effects").EnumerateArray().ToList();
        Assert.Equal(2, effects.Count);
        Assert.Equal(
            effects.Select(effect => (List<string>)
            [
                Text(effect, "value"),
                $"{effect.GetProperty("scenarios")}",
                Percent(effect.GetProperty("score").GetDouble(), "0.0"),
                Percent(effect.GetProperty("difference").GetDouble(), Signed),
            ]),
            ReadTable(page, "Effects of varied settings").Select(row => row.Value));

        static string Count(JsonElement method, string name) =>
            method.GetProperty("verdicts").GetInt32() == 0 ? "–" : $"{method.GetProperty(name)}";
    }

    [Fact]
    public async Task What_a_search_chose()
    {
        var (page, json) = await RenderAsync(isSearch: true, [.. CreateScenarios().Take(2)]);

        var search = json.GetProperty("searches").EnumerateArray().Single();
        Assert.Equal(
            search.GetProperty("chosen").EnumerateArray().Select(chosen => (List<string>)
            [
                Text(chosen, "method"),
                Text(chosen, "scenario"),
                Percent(chosen.GetProperty("validation").GetDouble(), "0.0"),
                $"{chosen.GetProperty("finished")} of {chosen.GetProperty("candidates")}",
            ]),
            ReadTable(page, "What the search chose").Select(row => (List<string>)[row.Key, .. row.Value]));
        var best = search.GetProperty("best").GetProperty("methods").EnumerateArray().ToList();
        Assert.Equal(
            best.Select(method => FormatMean(method.GetProperty("scores").GetProperty("macroF1"))),
            ReadTable(page, "Means over seeds").Select(row => row.Value[0]));
    }

    /// <summary>Two targets with two values of a setting.</summary>
    private static IEnumerable<(ScenarioSummary Scenario, List<TrialResult> Trials)> CreateScenarios()
    {
        var number = 0;
        foreach (var target in new[] { "scans", "slides" })
        {
            foreach (var weight in new[] { 0.6, 0.9 })
            {
                var settings = SmallResult.Scenario.Settings;
                var scenario = SmallResult.Scenario with
                {
                    Target = SmallResult.Scenario.Target with { Name = target, Sha256 = target },
                    Settings = settings with { KernelWeights = settings.KernelWeights with { AnchorWeight = weight } },
                };
                yield return Compare($"{target} {weight}", scenario, bonus: number % 2, number++);
            }
        }
    }

    /// <param name="bonus">How many images more the merge gets right.</param>
    /// <param name="position">Of the scenario in its sweep.</param>
    private static (ScenarioSummary Scenario, List<TrialResult> Trials) Compare(
        string name,
        ScenarioSummary scenario,
        int bonus,
        int position = 0)
    {
        var trials = new List<TrialResult>();
        foreach (var seed in Seeds)
        {
            Add("medmerge", null, 1 + bonus + ((int)seed % 2));
            Add("fine-tune", "a", 2 - ((int)seed / 2));
            Add("self-scale", null, 1 + (int)seed);

            void Add(string method, string? source, int right)
            {
                var planned = SmallResult.Trial((100 * position) + trials.Count + 1, method, source, seed, position);
                trials.Add(SmallResult.Result(planned, right));
            }
        }
        return (scenario with { Name = name, Seeds = Seeds }, trials);
    }

    private static Task<(XElement Page, JsonElement Json)> RenderAsync(
        params (ScenarioSummary Scenario, List<TrialResult> Trials)[] scenarios) => RenderAsync(isSearch: false, scenarios);

    private static async Task<(XElement Page, JsonElement Json)> RenderAsync(
        bool isSearch,
        params (ScenarioSummary Scenario, List<TrialResult> Trials)[] scenarios)
    {
        var trials = scenarios.SelectMany(scenario => scenario.Trials).ToList();
        var planned = trials.Select(trial => trial.Trial).ToArray();
        var plan = SmallResult.Plan([.. scenarios.Select(scenario => scenario.Scenario)], planned) with { IsSearch = isSearch };
        var store = new MemoryStageStore();
        foreach (var trial in trials)
        {
            var files = new Dictionary<string, byte[]> { [StageFiles.Predictions] = StageFiles.Write(trial.Predictions) };
            await store.SaveAsync(trial.Trial.Predictions, "evaluate", new StageOutput(files), Cancellation);
        }
        var compared = scenarios.Index().ToDictionary(
            scenario => scenario.Index,
            scenario => ScenarioResult.Compare(scenario.Item.Scenario, scenario.Item.Trials, [], Cancellation));
        var result = await SweepResult.CreateAsync(plan, compared, new Dictionary<int, MissingState>(), store, Cancellation);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        return (Parse(ReportPage.Render(result)), json.RootElement.Clone());
    }

    private static string FormatMean(JsonElement interval)
    {
        var estimate = interval.GetProperty("estimate").GetDouble();
        var text = Percent(estimate, "0.0");
        var high = interval.GetProperty("high");
        return high.ValueKind == JsonValueKind.Null ? text : $"{text} ± {Percent(high.GetDouble() - estimate, "0.0")}";
    }

    private static string FormatInterval(JsonElement interval)
    {
        if (Format("estimate") is not { } estimate) return "–";
        return Format("low") is { } low ? $"{estimate} [{low}, {Format("high")}]" : estimate;

        string? Format(string name) =>
            interval.GetProperty(name) is { ValueKind: JsonValueKind.Number } value ? Percent(value.GetDouble(), Signed) : null;
    }
}

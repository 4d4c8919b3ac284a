using System.Text.Json;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tests.Experiments;

namespace MedMerge.Tests.Reporting;

public class ResultFilesTests
{
    private static readonly TrialResult Merged = SmallResult.Result(
        SmallResult.Trial(1, "medmerge"), right: 4, SmallResult.Certificate(relative: 2.5e-7));

    private static readonly TrialResult Single = SmallResult.Result(SmallResult.Trial(2, "fine-tune", "a"), right: 3);

    private static readonly TrialResult Control = SmallResult.Result(SmallResult.Trial(3, "self-scale"), right: 2);

    [Fact]
    public void A_trial_has_a_line_for_each_split()
    {
        var lines = ResultFiles.ToCsv(Compare(Single)).Split('\n');

        Assert.Equal(
            "trial,method,seed,split,macro_f1,accuracy,balanced_accuracy,auc,kappa,quadratic_kappa,calibration_error",
            lines[0]);
        // Three of four right: F1 is 2·2/(2·2 + 1) = 0.8 and 2·1/(2·1 + 1) = 2/3; κ is (0.75 − 0.5)/(1 − 0.5).
        Assert.StartsWith("2,fine-tune a,0,test,0.7333333333333334,0.75,0.75,", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(",0.5,0.5,0", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("2,fine-tune a,0,validation,1,1,1,1,", lines[2], StringComparison.Ordinal);
        Assert.Equal([""], lines[3..]);
    }

    [Fact]
    public void Every_file_says_what_has_no_result()
    {
        var scenario = SmallResult.Scenario with { Seeds = [0, 1, 2] };
        MissingTrial[] missing =
        [
            new(SmallResult.Trial(4, "medmerge", seed: 1), MissingState.Failed),
            new(SmallResult.Trial(5, "fine-tune", "b"), MissingState.NotFinished),
        ];
        var result = ScenarioResult.Compare(scenario, [Merged, Single], missing, TestContext.Current.CancellationToken);

        var csv = ResultFiles.ToCsv(result);
        Assert.Contains("\n4,medmerge,1,test,,,,,,,\n4,medmerge,1,validation,,,,,,,\n", csv, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        Assert.Equal("[0]", JsonSerializer.Serialize(json.RootElement.GetProperty("seeds")));
        Assert.Equal(
            """
            [{"number":4,"method":"medmerge","seed":1,"state":"failed"},{"number":5,"method":"fine-tune b","seed":0,"state":"notFinished"}]
            """,
            JsonSerializer.Serialize(json.RootElement.GetProperty("missing")));
        var table = ComparisonTable.Render(result);
        Assert.Contains("1 of 3 seeds", table, StringComparison.Ordinal);
        Assert.Contains(
            "INCOMPLETE: 2 of 4 trials have no result, 1 of them failed: medmerge (1 missing, 1 failed), fine-tune b (1 missing)",
            table,
            StringComparison.Ordinal);
        Assert.Contains("Δ: none, because a single source has no result.", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_complete_result_says_that_nothing_is_missing()
    {
        var result = Compare(Merged, Single);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        Assert.Equal(0, json.RootElement.GetProperty("missing").GetArrayLength());
        Assert.DoesNotContain("INCOMPLETE", ComparisonTable.Render(result), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_with_a_comma_or_a_quote_is_quoted()
    {
        var odd = SmallResult.Result(SmallResult.Trial(1, "fine-tune", "a,\"b\""), right: 4);

        Assert.Contains("\n1,\"fine-tune a,\"\"b\"\"\",0,test,", ResultFiles.ToCsv(Compare(odd)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_score_that_does_not_exist_is_empty_in_the_table_and_null_in_the_json()
    {
        var oneClass = new Predictions(Classes: 2, [0.75, 0.25, 0.75, 0.25], Labels: [0, 0]); // no AUC
        var result = Compare(new TrialResult(Single.Trial, new HeldOutPredictions(oneClass, oneClass), null, null));

        Assert.Contains("2,fine-tune a,0,test,1,1,1,,", ResultFiles.ToCsv(result), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        var trial = json.RootElement.GetProperty("trials")[0];
        Assert.Equal(JsonValueKind.Null, trial.GetProperty("test").GetProperty("auc").ValueKind);
    }

    [Fact]
    public void The_json_holds_rows_rival_verdict_and_every_setting()
    {
        var result = Compare(Merged, Single, Control);
        using var json = JsonDocument.Parse(ResultFiles.ToJson(result));
        var root = json.RootElement;

        Assert.Equal("small", root.GetProperty("name").GetString());
        Assert.Equal("fine-tune a", root.GetProperty("bestSingleSource").GetString());
        Assert.Equal(Verdict.Of(result), root.GetProperty("verdict").GetString());
        Assert.Equal(SettingsText.ToJson(result.Scenario).ToJsonString(), JsonSerializer.Serialize(root.GetProperty("settings")));
        Assert.Equal([0.5], root.GetProperty("target").GetProperty("normalisation").GetProperty("mean").Deserialize<double[]>()!);

        var rows = root.GetProperty("methods").EnumerateArray().ToList();
        Assert.Equal(["medmerge", "fine-tune a", "self-scale"], rows.Select(row => row.GetProperty("method").GetString()));
        Assert.Equal(["proposed", "singleSource", "control"], rows.Select(row => row.GetProperty("role").GetString()));
        Assert.Equal(JsonValueKind.Null, rows[1].GetProperty("differenceToBestSingleSource").ValueKind);
        var score = rows[0].GetProperty("scores").GetProperty("macroF1");
        Assert.Equal(JsonValueKind.Null, score.GetProperty("low").ValueKind); // one seed has no interval
    }

    [Fact]
    public void A_trial_that_merged_shows_its_certificate()
    {
        using var json = JsonDocument.Parse(ResultFiles.ToJson(Compare(Merged, Single)));
        var trials = json.RootElement.GetProperty("trials");

        var certificate = trials[0].GetProperty("certificate");
        Assert.Equal("conv1", certificate.GetProperty("layer").GetString());
        Assert.Equal(2.5e-7, certificate.GetProperty("relative").GetDouble());
        Assert.True(certificate.GetProperty("holds").GetBoolean());
        Assert.Equal(JsonValueKind.Null, trials[1].GetProperty("certificate").ValueKind);
    }

    [Fact]
    public void Several_scenarios_are_a_list_with_what_they_say_together()
    {
        var result = Compare(Merged, Single);
        var missing = new Dictionary<int, MissingState>();
        var one = new SweepResult(SmallResult.Plan([SmallResult.Scenario]), [result], missing);
        var two = new SweepResult(SmallResult.Plan([SmallResult.Scenario, SmallResult.Scenario]), [result, result], missing);

        Assert.Equal(ResultFiles.ToJson(result), ResultFiles.ToJson(one));
        using var json = JsonDocument.Parse(ResultFiles.ToJson(two));
        var scenarios = json.RootElement.GetProperty("scenarios").EnumerateArray();
        Assert.Equal(["small", "small"], scenarios.Select(scenario => scenario.GetProperty("name").GetString()));
        var overall = json.RootElement.GetProperty("overall");
        Assert.Equal(1, overall.GetProperty("targets").GetInt32());
        Assert.Equal(2, overall.GetProperty("methods")[0].GetProperty("scenarios").GetInt32());
    }

    [Fact]
    public void Scenarios_without_a_result_are_named_but_for_those_that_a_search_has_stopped()
    {
        var plan = SmallResult.Plan(
            [SmallResult.Scenario, SmallResult.Scenario with { Name = "waiting" }, SmallResult.Scenario with { Name = "stopped" }],
            SmallResult.Trial(1, "medmerge"),
            SmallResult.Trial(2, "medmerge", scenario: 1),
            SmallResult.Trial(3, "medmerge", scenario: 2));
        var missing = new Dictionary<int, MissingState> { [3] = MissingState.StoppedEarly };
        var sweep = new SweepResult(plan, [Compare(Merged, Single)], missing);

        using var json = JsonDocument.Parse(ResultFiles.ToJson(sweep));
        var names = json.RootElement.GetProperty("scenariosWithoutResult").EnumerateArray().Select(name => name.GetString());
        Assert.Equal(["waiting"], names);
        Assert.EndsWith("so far: waiting.\n", ComparisonTable.Render(sweep), StringComparison.Ordinal);
    }

    private static ScenarioResult Compare(params TrialResult[] trials) =>
        ScenarioResult.Compare(SmallResult.Scenario, trials, missing: [], TestContext.Current.CancellationToken);
}

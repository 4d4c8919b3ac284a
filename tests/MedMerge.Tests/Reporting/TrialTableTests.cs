using System.Globalization;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Statistics;
using MedMerge.Tests.Experiments;
using Parquet;

namespace MedMerge.Tests.Reporting;

/// <summary>A sweep of two scenarios: three trials with a result, one that failed, and a scenario that has none yet.</summary>
public class TrialTableTests
{
    private static readonly SweepResult Sweep = CreateSweep();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_trial_has_a_row_with_what_it_belongs_to()
    {
        var columns = TrialTable.Of(Sweep);

        Assert.Equal([1L, 2L, 3L, 4L, 5L], Get("trial"));
        Assert.Equal(["small", "small", "small", "small", "other, width"], Get("scenario"));
        Assert.Equal(["a+b"], Get("sources").Distinct());
        Assert.Equal(["medmerge", "fine-tune", "fine-tune", "self-scale", "medmerge"], Get("method"));
        Assert.Equal([null, "a", "b", null, null], Get("source"));
        Assert.Equal(["proposed", "singleSource", "singleSource", "control", "proposed"], Get("role"));
        Assert.Equal([0UL, 0UL, 0UL, 0UL, ulong.MaxValue], Get("seed"));
        Assert.Equal(["done", "done", "done", "failed", "notFinished"], Get("state"));
        Assert.Equal([1.0, 0.75, 0.5, null, null], Get("test.accuracy"));
        Assert.Equal([1.0, 1.0, 1.0, null, null], Get("validation.accuracy"));

        IReadOnlyList<object?> Get(string name) => columns.Single(column => column.Name == name).Values;
    }

    [Fact]
    public void Every_setting_is_a_column_of_its_type_with_the_value_of_the_trials_scenario()
    {
        var columns = TrialTable.Of(Sweep).ToDictionary(column => column.Name);

        foreach (var setting in SettingTable.All)
        {
            var expected = Sweep.Plan.Trials.Select(trial => setting.GetValue(Sweep.Plan.GetScenario(trial).Settings)?.ToString());
            var values = columns[setting.Path].Values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture));
            Assert.Equal(expected.Select(text => text ?? ""), values);
        }
        Assert.Equal(typeof(long), columns["fineTune.epochs"].Type);
        Assert.Equal(typeof(double), columns["fineTune.learningRate"].Type);
        Assert.Equal([0.001, 0.001, 0.001, 0.001, 0.25], columns["fineTune.learningRate"].Values);
        Assert.Equal(typeof(string), columns["metric"].Type);
    }

    [Fact]
    public void The_csv_has_a_line_a_trial_and_leaves_empty_what_there_is_not()
    {
        var lines = TrialTable.ToCsv(Sweep).Split('\n');

        const string heading = "trial,scenario,target,sources,anchor,method,source,role,seed,state,kernelWeights.";
        Assert.StartsWith(heading, lines[0], StringComparison.Ordinal);
        Assert.StartsWith("2,small,scans,a+b,a,fine-tune,a,singleSource,0,done,", lines[2], StringComparison.Ordinal);
        Assert.EndsWith(",1,1,1,1,1,1,0.25", lines[2], StringComparison.Ordinal);
        Assert.StartsWith(
            "5,\"other, width\",scans,a+b,a,medmerge,,proposed,18446744073709551615,notFinished,",
            lines[5],
            StringComparison.Ordinal);
        Assert.EndsWith(",,,,,,,,,,,,,,", lines[5], StringComparison.Ordinal);
        Assert.Equal([""], lines[6..]);
    }

    [Fact]
    public async Task The_parquet_file_holds_the_same_columns_types_and_values()
    {
        using var file = new MemoryStream(await TrialParquet.WriteAsync(Sweep, Cancellation));
        await using var reader = await ParquetReader.CreateAsync(file, cancellationToken: Cancellation);
        using var rows = reader.OpenRowGroupReader(0);
        var columns = TrialTable.Of(Sweep);

        Assert.Equal(1, reader.RowGroupCount);
        Assert.Equal(columns.Select(column => column.Name), reader.Schema.DataFields.Select(field => field.Name));
        foreach (var (column, field) in columns.Zip(reader.Schema.DataFields))
        {
            object?[] values;
            if (column.Type == typeof(string))
            {
                var texts = new string?[5];
                await rows.ReadAsync(field, texts, cancellationToken: Cancellation);
                values = [.. texts];
            }
            else if (column.Type == typeof(double)) values = await ReadAsync<double>();
            else if (column.Type == typeof(ulong)) values = await ReadAsync<ulong>();
            else values = await ReadAsync<long>();
            Assert.Equal(column.Values, values);

            async Task<object?[]> ReadAsync<T>() where T : struct
            {
                Assert.Equal(typeof(T), field.ClrType);
                var numbers = new T?[5];
                await rows.ReadAsync<T>(field, numbers, cancellationToken: Cancellation);
                return [.. numbers.Select(number => (object?)number)];
            }
        }
    }

    [Fact]
    public async Task The_same_results_give_the_same_bytes()
    {
        var first = await TrialParquet.WriteAsync(Sweep, Cancellation);

        Assert.Equal(first, await TrialParquet.WriteAsync(CreateSweep(), Cancellation));
    }

    [Theory]
    [InlineData(MissingState.StoppedEarly, "stoppedEarly")]
    [InlineData(MissingState.Cancelled, "cancelled")]
    [InlineData(MissingState.NotFinished, "notFinished")]
    public void A_trial_that_was_stopped_or_left_out_has_not_failed(object state, string expected)
    {
        var missing = new Dictionary<int, MissingState> { [4] = (MissingState)state };

        var states = TrialTable.Of(Sweep with { Missing = missing }).Single(column => column.Name == "state").Values;

        Assert.Equal(expected, states[3]);
    }

    [Fact]
    public void A_score_that_does_not_exist_is_null()
    {
        var oneClass = new Predictions(Classes: 2, [0.75, 0.25], Labels: [0]); // no AUC
        var trial = new TrialResult(SmallResult.Trial(1, "medmerge"), new HeldOutPredictions(oneClass, oneClass), null, null);
        var scenario = ScenarioResult.Compare(SmallResult.Scenario, [trial], missing: [], Cancellation);
        var sweep = new SweepResult(SmallResult.Plan([SmallResult.Scenario], trial.Trial), [scenario], new Dictionary<int, MissingState>());

        Assert.Null(TrialTable.Of(sweep).Single(column => column.Name == "test.auc").Values[0]);
    }

    private static SweepResult CreateSweep()
    {
        var settings = SmallResult.Scenario.Settings;
        var other = SmallResult.Scenario with
        {
            Name = "other, width",
            Settings = settings with { FineTune = settings.FineTune with { LearningRate = 0.25 } },
        };
        var plan = SmallResult.Plan(
            [SmallResult.Scenario, other],
            SmallResult.Trial(1, "medmerge"),
            SmallResult.Trial(2, "fine-tune", "a"),
            SmallResult.Trial(3, "fine-tune", "b"),
            SmallResult.Trial(4, "self-scale"),
            SmallResult.Trial(5, "medmerge", seed: ulong.MaxValue, scenario: 1));
        var trials = plan.Trials.Take(3).Select((trial, index) => SmallResult.Result(trial, right: 4 - index));
        MissingTrial[] missing = [new(plan.Trials[3], MissingState.Failed)];
        var scenario = ScenarioResult.Compare(SmallResult.Scenario, [.. trials], missing, Cancellation);
        return new SweepResult(plan, [scenario], missing.ToDictionary(trial => trial.Trial.Number, trial => trial.State));
    }
}

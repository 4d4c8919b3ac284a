using MedMerge.Experiments.Specifications;
using MedMerge.Reporting;
using MedMerge.Tests.Experiments;
using MedMerge.Training;

namespace MedMerge.Tests.Reporting;

public class SettingsTextTests
{
    [Fact]
    public void The_line_names_what_differs_from_the_defaults()
    {
        var settings = new ScenarioSettings
        {
            KernelWeights = new KernelWeightSettings { LearningRate = 0.01, Start = KernelWeightStart.Uniform },
            FineTune = new FineTuneSettings { Epochs = 5 },
            Threads = 2,
        };

        Assert.Equal(
            "kernelWeights.learningRate 0.01, kernelWeights.start uniform, fineTune.epochs 5, threads 2; defaults otherwise",
            SettingsText.Render(SmallResult.Scenario with { Settings = settings }));
        Assert.Equal("defaults", SettingsText.Render(SmallResult.Scenario));
    }

    [Fact]
    public void The_json_has_every_setting_by_its_path()
    {
        var json = SettingsText.ToJson(SmallResult.Scenario);

        Assert.All(SettingTable.All, setting => Assert.Equal(
            setting.GetValue(SmallResult.Scenario.Settings)!.ToJsonString(),
            json[setting.Path]!.ToJsonString()));
    }

    [Fact]
    public void The_json_has_the_settings_of_a_pretraining_with_its_seed_and_none_of_a_file()
    {
        var json = SettingsText.ToJson(SmallResult.Scenario);

        var pretraining = json["sources.b.pretrain"]!;
        Assert.Equal("3", pretraining["epochs"]!.ToJsonString());
        Assert.Equal("7", pretraining["seed"]!.ToJsonString());
        Assert.Equal("\"none\"", pretraining["augmentation"]!.ToJsonString());
        Assert.False(json.ContainsKey("sources.a.pretrain"));
    }

    [Fact]
    public void The_documentation_has_a_row_for_every_setting()
    {
        var rows = SettingsText.RenderDocumentation().TrimEnd().Split('\n');

        Assert.Equal("| key | default | values | meaning |", rows[0]);
        var keys = rows[2..].Select(row => row.Split('|')[1].Trim());
        Assert.Equal(SettingTable.All.Select(setting => $"`{setting.Path}`"), keys);
        Assert.Contains(rows, row => row.StartsWith("| `threads` | `1` | 1 to 1024 |", StringComparison.Ordinal));
    }
}

using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Reporting;
using MedMerge.Tests.Experiments;

namespace MedMerge.Tests.Reporting;

public class OutputFilesTests
{
    private static readonly OutputRole[] Merge = [OutputRole.MergedModel, OutputRole.Certificate, OutputRole.Model];

    private static readonly ScenarioSummary TwoSeeds = SmallResult.Scenario with { Seeds = [3, 5] };

    [Fact]
    public void A_sweep_of_one_scenario_fills_the_output_folder_itself()
    {
        var trial = SmallResult.Trial(1, "medmerge", seed: 3, roles: Merge);
        var plan = SmallResult.Plan([TwoSeeds], trial);

        string[] expected =
        [
            "medmerge/seed-3/merged.safetensors",
            "medmerge/seed-3/certificate.json",
            "medmerge/seed-3/model.safetensors",
            "sources/a.safetensors",
            "sources/b.safetensors",
        ];
        Assert.Equal(expected, Names(plan));
        Assert.Equal([new ScenarioFolder("small", "")], OutputFiles.GetScenarios(plan, plan.Trials));
    }

    [Fact]
    public void A_file_is_found_by_the_stage_that_gives_it()
    {
        var plan = SmallResult.Plan([TwoSeeds], SmallResult.Trial(1, "medmerge", seed: 3, roles: Merge));

        var files = OutputFiles.GetModels(plan, plan.Trials).ToDictionary(file => file.Name, file => file.Stage);

        Assert.Equal("Certificate-1", files["medmerge/seed-3/certificate.json"]);
        Assert.Equal("import-a", files["sources/a.safetensors"]);
        Assert.Equal("pretrain-b", files["sources/b.safetensors"]);
    }

    [Fact]
    public void The_sources_come_with_the_first_seed_alone()
    {
        var first = SmallResult.Trial(1, "medmerge", seed: 3, roles: OutputRole.Model);
        var second = SmallResult.Trial(2, "medmerge", seed: 5, roles: OutputRole.Model);
        var plan = SmallResult.Plan([TwoSeeds], first, second);

        Assert.Equal(2, Names(plan).Count(name => name.StartsWith("sources/", StringComparison.Ordinal)));
        Assert.Equal(["medmerge/seed-5/model.safetensors"], OutputFiles.GetModels(plan, [second]).Select(file => file.Name));
    }

    [Fact]
    public void Every_method_has_files_and_they_are_told_apart_by_name()
    {
        var trials = MethodRegistry.All
            .Select((method, index) => SmallResult.Trial(index + 1, method.Name, roles: Merge))
            .Append(SmallResult.Trial(100, "fine-tune", source: "a", roles: Merge))
            .ToList();

        var names = Names(SmallResult.Plan([SmallResult.Scenario], [.. trials])).ToList();

        Assert.Contains("fine-tune a/seed-0/model.safetensors", names);
        Assert.Equal(MethodRegistry.Names, names.Select(OutputFiles.FindMethod).OfType<string>().Distinct());
        Assert.Equal(["medmerge"], OutputFiles.DefaultMethods);
        string[] expected =
        [
            "lp-ft/seed-0/merged.safetensors",
            "lp-ft/seed-0/certificate.json",
            "lp-ft/seed-0/model.safetensors",
        ];
        Assert.Equal(expected, names.Where(name => OutputFiles.FindMethod(name) is not null && OutputFiles.IsOf(name, ["lp-ft"])));
        Assert.Equal("fine-tune", OutputFiles.FindMethod("other/fine-tune a/seed-0/model.safetensors"));
        Assert.Equal("fine-tune", OutputFiles.FindMethod("fine-tune a"));
        Assert.Null(OutputFiles.FindMethod("other/sources/a.safetensors"));
    }

    [Fact]
    public void Several_scenarios_have_a_folder_each_once_they_have_a_finished_trial()
    {
        var first = SmallResult.Trial(1, "medmerge", scenario: 0, roles: OutputRole.Model);
        var second = SmallResult.Trial(2, "medmerge", scenario: 1, roles: OutputRole.Model);
        var plan = SmallResult.Plan([SmallResult.Scenario, SmallResult.Scenario with { Name = "other" }], first, second);

        Assert.Equal(["small/", "other/"], OutputFiles.GetScenarios(plan, plan.Trials).Select(scenario => scenario.Folder));
        Assert.Equal(["other/"], OutputFiles.GetScenarios(plan, [second]).Select(scenario => scenario.Folder));
        string[] expected = ["other/medmerge/seed-0/model.safetensors", "other/sources/a.safetensors", "other/sources/b.safetensors"];
        Assert.Equal(expected, OutputFiles.GetModels(plan, [second]).Select(file => file.Name));
    }

    private static IEnumerable<string> Names(PlanSummary plan) => OutputFiles.GetModels(plan, plan.Trials).Select(file => file.Name);
}

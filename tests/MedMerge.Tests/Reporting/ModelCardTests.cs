using System.Globalization;
using System.Text.Json;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Reporting;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Experiments;
using MedMerge.Tests.Models;
using MedMerge.Training;
using YamlDotNet.RepresentationModel;
using static TorchSharp.torch;

namespace MedMerge.Tests.Reporting;

/// <summary>What stands beside a model is true of it, and enough to load it.</summary>
public class ModelCardTests
{
    private static readonly ScenarioSummary Scenario = SmallResult.Scenario with
    {
        Architecture = "resnet18",
        Target = SmallResult.Scenario.Target with { Height = 28, Width = 32, ClassNames = ["benign", "malignant"] },
    };

    [Fact]
    public void Its_head_is_YAML_with_the_scores_of_the_results()
    {
        var (result, trial) = Compare(Scenario with { Name = "odd: \"name\"" });

        var card = ModelCard.Render(result, trial);

        var yaml = new YamlStream();
        yaml.Load(new StringReader(card.Split("---\n")[1]));
        var head = (YamlMappingNode)yaml.Documents[0].RootNode;
        var model = (YamlMappingNode)head["model-index"][0];
        Assert.Equal("odd: \"name\": medmerge, seed 0", ((YamlScalarNode)model["name"]).Value);
        var metrics = ((YamlSequenceNode)model["results"][0]["metrics"])
            .ToDictionary(metric => $"{metric["type"]}", metric => double.Parse($"{metric["value"]}", CultureInfo.InvariantCulture));
        Assert.Equal(trial.Test.MacroF1, metrics["f1"]);
        Assert.Equal(trial.Test.Accuracy, metrics["accuracy"]);
        Assert.Equal(trial.Test.Auc, metrics["roc_auc"]);
        Assert.Contains(Verdict.Of(result), card, StringComparison.Ordinal);
        Assert.Contains("| malignant |", card, StringComparison.Ordinal);
        Assert.DoesNotContain("INCOMPLETE", card, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_result_yet_is_said()
    {
        MissingTrial[] missing = [new(SmallResult.Trial(9, "medmerge", seed: 1), MissingState.NotFinished)];

        var (result, trial) = Compare(Scenario with { Seeds = [0, 1] }, missing);

        Assert.Contains("**INCOMPLETE: 1 of 3 trials has no result", ModelCard.Render(result, trial), StringComparison.Ordinal);
    }

    /// <summary>With <c>select: best</c> what is exported may be another method's model.</summary>
    [Fact]
    public void Whose_model_was_kept_is_said()
    {
        var (result, trial) = Compare(Scenario);
        var scores = new Validation(MacroF1: 0.5, Loss: 0.7);
        CandidateScore[] candidates = [new("medmerge", scores), new("fine-tune a", scores)];

        var other = ModelCard.Render(result, trial with { Selection = new ModelSelection("fine-tune a", candidates) });
        var own = ModelCard.Render(result, trial with { Selection = new ModelSelection("medmerge", candidates) });

        Assert.Contains("It is the model of `fine-tune a`", other, StringComparison.Ordinal);
        Assert.DoesNotContain("It is the model of", own, StringComparison.Ordinal);
    }

    [Fact]
    public void The_configuration_says_what_goes_in_and_comes_out()
    {
        var (result, trial) = Compare(Scenario);

        using var json = JsonDocument.Parse(ModelConfig.Write(result, trial));

        var root = json.RootElement;
        Assert.Equal("resnet18", root.GetProperty("architecture").GetString());
        Assert.Equal(2, root.GetProperty("num_labels").GetInt32());
        Assert.Equal("malignant", root.GetProperty("id2label").GetProperty("1").GetString());
        Assert.Equal("single_label_classification", root.GetProperty("problem_type").GetString());
        Assert.Equal("[3,28,32]", JsonSerializer.Serialize(root.GetProperty("input_size")));
        Assert.Equal("[0.5,0.5,0.5]", JsonSerializer.Serialize(root.GetProperty("mean"))); // of one grey channel
        Assert.False(root.TryGetProperty("thresholds", out _));
    }

    [Theory]
    [InlineData("resnet20", 1)]
    [InlineData("resnet56", 0.5)]
    [InlineData("resnet18", 1)]
    [InlineData("resnet18-3x3", 1)]
    [InlineData("resnet50", 1)]
    [InlineData("vgg16_bn", 1)]
    [InlineData("densenet121", 1)]
    [InlineData("mobilenet_v2", 1)]
    public void The_Python_that_it_shows_loads_the_model(string name, double width)
    {
        if (!Python.Has("torch, torchvision"))
            Assert.Skip("PyTorch is not here (Debian: apt-get install python3-torch python3-torchvision).");
        var architecture = Architectures.Create(name, width);
        var target = Scenario.Target with { Height = 32 };
        var (result, trial) = Compare(Scenario with { Architecture = architecture.Title, Target = target });
        var folder = Directory.CreateTempSubdirectory("medmerge-card-").FullName;
        try
        {
            using (var scope = NewDisposeScope())
            using (var inference = no_grad())
            using (var weights = RandomModels.Weights(architecture, seed: 3, classes: 2))
            using (var network = new BatchNormNetwork(architecture, weights, TestDevice.Torch))
            using (var images = new StateDict())
            using (var logits = new StateDict())
            {
                images.Add("images", linspace(-2, 2, 2 * 3 * 32 * 32).view(2, 3, 32, 32));
                logits.Add("logits", network.Forward(images["images"].to(TestDevice.Torch), training: false).cpu());
                File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), Safetensors.Write(weights));
                File.WriteAllBytes(Path.Combine(folder, "images.safetensors"), Safetensors.Write(images));
                File.WriteAllBytes(Path.Combine(folder, "logits.safetensors"), Safetensors.Write(logits));
            }
            File.WriteAllText(Path.Combine(folder, "README.md"), ModelCard.Render(result, trial));
            File.WriteAllText(Path.Combine(folder, "config.json"), ModelConfig.Write(result, trial));

            var (code, output) = Python.Run(Path.Combine(AppContext.BaseDirectory, "Fixtures", "check_model_card.py"), folder);

            Assert.True(code == 0, output);
            Assert.Contains("logits [1, 2] mean [0.5, 0.5, 0.5]", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The card names another way.</summary>
    [Fact]
    public void Where_torchvision_has_no_network_of_the_width_no_Python_is_shown()
    {
        var (result, trial) = Compare(Scenario with { Architecture = "resnet18 (width 0.5)" });

        var card = ModelCard.Render(result, trial);

        Assert.DoesNotContain("```", card, StringComparison.Ordinal);
        Assert.Contains("medmerge export", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Licences_that_the_catalogue_knows_are_named()
    {
        var sources = new[] { "resnet18-f37072fd.pth", "ours.pt", "cells (synthetic)" }.Select(origin => Scenario.Sources[0] with
        {
            Name = origin[..4],
            Origins = [new SourceOrigin(origin, "hash")],
        });
        var target = Scenario.Target with { Name = "dermamnist", IsSynthetic = false };
        var (result, trial) = Compare(Scenario with { Target = target, Sources = [.. sources] });

        var card = ModelCard.Render(result, trial);

        string[] rows =
        [
            "| target | dermamnist | CC BY-NC 4.0, if it is what is published under that name; credit: ",
            "| source resn | resnet18-f37072fd.pth | BSD-3-Clause",
            "| source ours | ours.pt | not known to medmerge |",
            "| source cell | cells (synthetic) | none needed: drawn by medmerge |",
        ];
        Assert.All(rows, row => Assert.Contains(row, card, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_model_that_is_exported_has_both()
    {
        var merged = SmallResult.Trial(1, "medmerge", roles: OutputRole.Model);
        var plan = SmallResult.Plan([Scenario], merged, SmallResult.Trial(2, "ensemble"));

        var documents = OutputFiles.GetDocuments(plan, plan.Trials).Select(document => document.Name);

        Assert.Equal(["medmerge/seed-0/README.md", "medmerge/seed-0/config.json"], documents);
        Assert.Contains("README.md", OutputFiles.SeedFiles);
    }

    private static (ScenarioResult Result, TrialResult Trial) Compare(ScenarioSummary scenario, params MissingTrial[] missing)
    {
        TrialResult[] trials =
        [
            SmallResult.Result(SmallResult.Trial(1, "medmerge"), right: 3, SmallResult.Certificate(relative: 2.5e-7)),
            SmallResult.Result(SmallResult.Trial(2, "fine-tune", "a"), right: 2),
        ];
        var result = ScenarioResult.Compare(scenario, trials, missing, TestContext.Current.CancellationToken);
        return (result, result.Trials[0]);
    }
}

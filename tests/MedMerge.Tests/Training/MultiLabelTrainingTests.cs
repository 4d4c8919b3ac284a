using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Tests.Experiments;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

/// <summary>Training where an image may have several labels, or none.</summary>
public class MultiLabelTrainingTests
{
    private static readonly ImageDataset Target = Phantoms.Create("findings", train: 20, validation: 16, test: 16);

    /// <summary>Against the definition in plain arithmetic, on average over the labels.</summary>
    [Theory]
    [InlineData(ClassWeighting.None, 0)]
    [InlineData(ClassWeighting.Balanced, 0)]
    [InlineData(ClassWeighting.Balanced, 2)]
    public void The_loss_is_that_of_its_definition_and_shards_add_up(ClassWeighting weighting, double gamma)
    {
        using var scope = NewDisposeScope();
        var imbalance = new Imbalance { ClassWeights = weighting, FocalGamma = gamma };
        using var loss = new ClassificationLoss(imbalance, Target, TestDevice.Torch, ScalarType.Float64);
        var random = new RandomStream(2);
        var sets = Target.Train.Labels;
        double[] values = [.. Enumerable.Range(0, sets.Length * 3).Select(_ => 2 * random.NextNormal())];
        var logits = tensor(values).view(sets.Length, 3).to(TestDevice.Torch);
        var labels = tensor(Array.ConvertAll(sets, set => (long)set)).to(TestDevice.Torch);

        var expected = 0.0;
        for (var i = 0; i < values.Length; i++)
        {
            var (set, label) = (sets[i / 3], i % 3);
            var has = ((set >> label) & 1) == 1;
            var p = 1 / (1 + Math.Exp(has ? -values[i] : values[i]));
            var alike = sets.Count(other => ((other >> label) & 1) == 1 == has);
            var weight = weighting == ClassWeighting.None ? 1 : sets.Length / (2.0 * alike);
            expected -= weight * Math.Pow(1 - p, gamma) * Math.Log(p) / 3;
        }

        Assert.Equal(expected, loss.Sum(logits, labels).item<double>(), 1e-9 * expected);
        Assert.Equal(expected / sets.Length, loss.Mean(logits, labels).item<double>(), 1e-9);
        Assert.Equal(expected, Sum(0, 7) + Sum(7, 13), 1e-9 * expected);

        double Sum(int from, int count) => loss.Sum(logits.narrow(0, from, count), labels.narrow(0, from, count)).item<double>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_probe_finds_the_optimum_of_its_penalised_loss(bool isBalanced)
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        var sets = Target.Train.Labels;
        double[] values = [.. sets.SelectMany(set => Enumerable.Range(0, 5).Select(j => random.NextNormal() + ((set >> j) & 1)))];
        var features = tensor(values).view(sets.Length, 5);
        var imbalance = new Imbalance { ClassWeights = isBalanced ? ClassWeighting.Balanced : ClassWeighting.None };

        var head = LinearProbe.Fit(features, Target, decay: 0.01, imbalance, CancellationToken.None);

        // At the optimum the gradient, by autograd through the loss of training, is zero.
        var weight = tensor(head.Weight).view(3, 5).requires_grad_();
        var bias = tensor(head.Bias).requires_grad_();
        using var objective = new ClassificationLoss(imbalance, Target, CPU, ScalarType.Float64);
        var logits = nn.functional.linear(features, weight, bias);
        var loss = objective.Mean(logits, tensor(Array.ConvertAll(sets, set => (long)set))) + (0.005 * weight.square().sum());
        var gradients = autograd.grad([loss], [weight, bias]);
        Assert.True(gradients.Max(gradient => gradient.abs().max().item<double>()) < 2e-6);
    }

    [Fact]
    public void Balanced_batches_are_refused()
    {
        var yaml = Yaml("medmerge", epochs: 1) + "\nsampling: balanced";
        var error = Assert.ThrowsAny<InputException>(() => Plan.Build(SpecificationReader.Read(yaml, "test.yaml", [])));
        Assert.Contains("those of data set phantom:findings may have several labels", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Every method that makes one model, or several, from labels.</summary>
    [Fact]
    public async Task All_methods_learn_several_labels()
    {
        var plan = Plan.Build(SpecificationReader.Read(Yaml("all", epochs: 8), "test.yaml", []));

        var result = await PlanRun.RunAsync(plan, new CountingStageStore());

        Assert.Equal(plan.Trials.Count, result.Trials.Count);
        Assert.All(result.Trials, trial => Assert.Equal(3, trial.Test.Classes.Count));
        foreach (var method in new[] { "medmerge", "fine-tune", "lp-ft", "ensemble", "scratch" })
        {
            var trials = result.Trials.Where(trial => trial.Trial.Method == method).ToList();
            Assert.NotEmpty(trials);
            Assert.All(trials, trial => Assert.True(trial.Test.Auc > 0.65, $"{method} has an AUC of {trial.Test.Auc:0.00}."));
        }
        var medmerge = result.Trials.Single(trial => trial.Trial.Method == "medmerge");
        Assert.True(medmerge.Certificate is { } certificate && certificate.Worst.Relative < 1e-5);
    }

    private static string Yaml(string methods, int epochs) => $$"""
        name: findings
        target: { data: 'phantom:findings', trainImages: 160 }
        architecture: resnet20
        width: 0.25
        sources:
          - name: a
            pretrain: { data: 'phantom:findings', trainImages: 80, epochs: 2, seed: 5 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 80, epochs: 2 }
        methods: {{(methods == "all" ? "all" : $"[{methods}]")}}
        learningRateTries: 1
        kernelWeights: { epochs: 2, batchSize: 16 }
        fineTune: { epochs: {{epochs}}, batchSize: 16, learningRate: 0.003 }
        """;
}

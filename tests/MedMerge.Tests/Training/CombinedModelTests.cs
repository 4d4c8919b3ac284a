using MedMerge.Data;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

/// <summary>Models that are combined from fine-tuned ones: soups, the Fisher-weighted average, the ensemble.</summary>
public sealed class CombinedModelTests : IDisposable
{
    private const int Classes = 2;
    private static readonly Architecture Architecture = Architectures.Create("resnet20", 0.25);
    private readonly ImageDataset _target = RandomModels.TargetFor(Architecture);

    private readonly List<StateDict> _models =
        [.. Enumerable.Range(0, 3).Select(i => RandomModels.Weights(Architecture, (ulong)i, Classes))];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _models.ForEach(model => model.Dispose());

    [Fact]
    public void A_soup_of_equal_models_is_that_model()
    {
        using var model = ModelAverage.Combine([_models[0], _models[0]], [0.25, 0.75]);

        foreach (var (name, tensor) in _models[0]) Assert.Equal(tensor.bytes.ToArray(), model[name].bytes.ToArray());
    }

    [Fact]
    public void A_uniform_soup_has_the_mean_of_every_parameter_and_statistics_of_its_own()
    {
        using var soup = CreateSoup(_models);

        var coefficients = soup.Find(SoupRecipe.Uniform, Cancellation);
        using var model = soup.Combine(coefficients, Cancellation);

        Assert.Equal([1.0 / 3, 1.0 / 3, 1.0 / 3], coefficients);
        using var scope = NewDisposeScope();
        foreach (var name in _models[0].Names.Where(BatchNormNetwork.IsParameter))
        {
            var mean = stack(_models.Select(source => source[name].to(ScalarType.Float64))).mean([0L]);
            Assert.True((mean - model[name]).abs().max().to(ScalarType.Float64).item<double>() < 1e-6, name);
        }
        using var loader = new BatchLoader(_target, TestDevice.Torch);
        using var again = BatchNormStatistics.Estimate(
            Architecture,
            model,
            _target,
            batchSize: 8,
            loader,
            TestDevice.Torch,
            Cancellation);
        foreach (var name in model.Names.Where(BatchNormNetwork.IsStatistic))
            Assert.Equal(model[name].bytes.ToArray(), again[name].bytes.ToArray());
    }

    /// <summary>Of two models with opposite heads the average knows nothing, so the better one is kept alone.</summary>
    [Fact]
    public void A_greedy_soup_leaves_out_a_model_that_makes_it_worse()
    {
        using var good = FitHead(_models[0], sign: 1);
        using var bad = FitHead(_models[0], sign: -1);
        using var soup = CreateSoup([bad, good]);

        Assert.Equal([0.0, 1.0], soup.Find(SoupRecipe.Greedy, Cancellation));
        using var equal = CreateSoup([good, good]);
        Assert.Equal([0.5, 0.5], equal.Find(SoupRecipe.Greedy, Cancellation));
    }

    [Fact]
    public void A_learned_soup_gives_a_model_that_answers_wrongly_the_smaller_share()
    {
        using var good = FitHead(_models[0], sign: 1);
        using var bad = FitHead(_models[0], sign: -1);
        using var soup = CreateSoup([bad, good]);

        var shares = soup.Find(SoupRecipe.Learned, Cancellation);

        Assert.Equal(1, shares.Sum(), 12);
        Assert.True(shares[1] > 0.6, $"{shares[1]}");
    }

    /// <summary>The head's bias leans to the model whose answers move with it; a parameter that both share stays as it is.</summary>
    [Fact]
    public void The_Fisher_average_lies_between_the_models_and_leans_to_the_one_that_is_unsure()
    {
        using var sure = WithBias(_models[0], 30);
        using var unsure = WithBias(_models[0], 0);
        using var loader = new BatchLoader(_target, TestDevice.Torch);
        using var average = FisherAverage.Combine(
            Architecture, [sure, unsure], _target, seed: 1, loader, TestDevice.Torch, Cancellation);

        var bias = average["linear.bias"].data<float>().ToArray();
        Assert.InRange(bias[0], -0.1, 3); // the plain mean is 15: the gradient of an answer that is sure is nearly zero
        foreach (var name in average.Names.Where(name => name != "linear.bias" && BatchNormNetwork.IsParameter(name)))
        {
            using var scope = NewDisposeScope();
            Assert.True((average[name] - _models[0][name]).abs().max().item<float>() < 1e-6, name);
        }
    }

    [Fact]
    public void An_ensemble_answers_by_the_softmax_of_mean_logits()
    {
        double[][] logits = [[1, -2, 0.5], [0, 3, -1]];
        var members = logits.Select(row => new Predictions(3, Softmax(row), [1])).ToList();

        var combined = EnsembleStage.Combine(members);

        Assert.All(Softmax([0.5, 0.5, -0.25]).Zip(combined.Probabilities), pair => Assert.Equal(pair.First, pair.Second, 12));

        static double[] Softmax(double[] row)
        {
            var powers = row.Select(Math.Exp).ToList();
            return [.. powers.Select(power => power / powers.Sum())];
        }
    }

    private ModelSoup CreateSoup(IReadOnlyList<StateDict> models) =>
        new(Architecture, models, _target, batchSize: 8, Metric.MacroF1, TestDevice.Torch);

    /// <summary>
    /// The model with statistics of the target, as fine-tuning leaves it, and a head that is fitted to the validation images, or the
    /// opposite of that.
    /// </summary>
    private StateDict FitHead(StateDict source, double sign)
    {
        using var scope = NewDisposeScope();
        using var loader = new BatchLoader(_target, TestDevice.Torch);
        using var model = BatchNormStatistics.Estimate(
            Architecture, source, _target, batchSize: 8, loader, TestDevice.Torch, Cancellation);
        using var network = new BatchNormNetwork(Architecture, model, TestDevice.Torch);
        Tensor Features(Tensor images) => network.Features(images, training: false);
        var features = Scoring.Features(Features, _target.Validation, loader, Cancellation);
        var head = LinearProbe.Fit(features, _target.Validation.Labels, Classes, decay: 0.01, Cancellation);
        var signed = new Head([.. head.Weight.Select(weight => sign * weight)], [.. head.Bias.Select(bias => sign * bias)]);
        return signed.ReplaceIn(Architecture, model);
    }

    private static StateDict WithBias(StateDict model, double bias)
    {
        var head = Head.From(Architecture, model);
        return new Head(head.Weight, [bias, 0]).ReplaceIn(Architecture, model);
    }
}

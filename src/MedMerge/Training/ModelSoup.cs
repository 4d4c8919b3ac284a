using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>How a soup's coefficients are found (Wortsman et al. 2022, section 2).</summary>
internal enum SoupRecipe
{
    /// <summary>All models have the same.</summary>
    Uniform,

    /// <summary>From the best model down, each is added to the average if that is not worse on validation for it.</summary>
    Greedy,

    /// <summary>Shares that gradient descent finds on the validation images.</summary>
    Learned,
}

/// <summary>
/// An average of models that were fine-tuned on one target. Its batch norm statistics are estimated again, because those of an average are
/// not the average of those. Device thread only.
/// </summary>
internal sealed class ModelSoup : IDisposable
{
    private readonly Architecture _architecture;
    private readonly IReadOnlyList<StateDict> _models;
    private readonly ImageDataset _target;
    private readonly int _batchSize;
    private readonly Metric _metric;
    private readonly Device _device;
    private readonly BatchLoader _loader;

    /// <param name="models">Under the architecture's names, with classifiers; not disposed.</param>
    /// <param name="batchSize">Images of a batch, as the models' fine-tuning normalised by.</param>
    /// <param name="metric">What the greedy recipe chooses by.</param>
    public ModelSoup(
        Architecture architecture,
        IReadOnlyList<StateDict> models,
        ImageDataset target,
        int batchSize,
        Metric metric,
        Device device)
    {
        _architecture = architecture;
        _models = models;
        _target = target;
        _batchSize = batchSize;
        _metric = metric;
        _device = device;
        _loader = new BatchLoader(target, device);
    }

    /// <summary>The coefficients that a recipe finds, one a model; they sum to 1.</summary>
    public double[] Find(SoupRecipe recipe, CancellationToken cancellation) => recipe switch
    {
        SoupRecipe.Uniform => Mean(Enumerable.Range(0, _models.Count)),
        SoupRecipe.Greedy => FindGreedily(cancellation),
        SoupRecipe.Learned => SoupLearning.Learn(_architecture, _models, _target, _batchSize, _loader, _device, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe)),
    };

    /// <summary>The average, with batch norm statistics of its own unless it is one model alone.</summary>
    public StateDict Combine(IReadOnlyList<double> coefficients, CancellationToken cancellation)
    {
        var combined = ModelAverage.Combine(_models, coefficients);
        if (coefficients.Count(coefficient => coefficient != 0) == 1) return combined;
        using (combined)
            return BatchNormStatistics.Estimate(_architecture, combined, _target, _batchSize, _loader, _device, cancellation);
    }

    /// <summary>A model's score on the validation images.</summary>
    public Validation Score(StateDict model, CancellationToken cancellation) =>
        Scoring.Validate(_architecture, model, _target, _loader, _device, cancellation);

    /// <inheritdoc />
    public void Dispose() => _loader.Dispose();

    private double[] FindGreedily(CancellationToken cancellation)
    {
        var scores = _models.Select(model => Score(model, cancellation)).ToList();
        var order = Enumerable.Range(0, _models.Count)
            .OrderByDescending(model => scores[model].Get(_metric))
            .ThenBy(model => scores[model].Loss)
            .ToList();
        List<int> kept = [order[0]];
        var best = scores[order[0]];
        foreach (var model in order.Skip(1))
        {
            using var candidate = Combine(Mean([.. kept, model]), cancellation);
            var score = Score(candidate, cancellation);
            if (best.IsBetterThan(score, _metric)) continue;
            kept.Add(model);
            best = score;
        }
        return Mean(kept);
    }

    private double[] Mean(IEnumerable<int> models)
    {
        var chosen = models.ToHashSet();
        return [.. Enumerable.Range(0, _models.Count).Select(model => chosen.Contains(model) ? 1.0 / chosen.Count : 0)];
    }
}

using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// Multinomial logistic regression on frozen features: mean cross-entropy plus λ/2·‖W‖², solved to its one optimum, so there is nothing
/// to seed. The penalty is on the weights of the features as they are: on shrunken features an unpenalised head grows huge and makes the
/// first steps of weight learning overshoot.
/// </summary>
internal static class LinearProbe
{
    /// <summary>
    /// The largest entry of the loss's gradient, features in units of their size, at which the optimum counts as reached.
    /// </summary>
    public const double GradientTolerance = 1e-6;

    private const int MaxIterations = 1000;

    /// <summary>Fits a head to the features of the training images. Device thread only.</summary>
    /// <param name="features">[images, features], float64.</param>
    /// <param name="decay">λ.</param>
    public static Head Fit(Tensor features, ImageDataset target, double decay, Imbalance imbalance, CancellationToken cancellation)
    {
        var (labels, classes) = (target.Train.Labels, target.Classes);
        return Fit(features, labels, classes, decay, cancellation, imbalance.WeighProbe(labels, classes));
    }

    /// <summary>Fits a head. Device thread only.</summary>
    /// <param name="features">[images, features], float64.</param>
    /// <param name="labels">[images].</param>
    /// <param name="decay">λ.</param>
    /// <param name="classWeights">What an image of each class counts in the mean; null where all count alike.</param>
    /// <param name="iterations">
    /// How many at most. A head that is not at the optimum then has a <see cref="Head.RemainingGradient"/>.
    /// </param>
    public static Head Fit(
        Tensor features,
        int[] labels,
        int classes,
        double decay,
        CancellationToken cancellation,
        double[]? classWeights = null,
        int iterations = MaxIterations)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var (count, width) = (features.shape[0], features.shape[1]);
        // The same optimum in other units: each feature about its mean, and so large that the loss curves alike in all of them (a logit's
        // curvature is 1/4 at most). As they are, features of very different sizes take more iterations than there are.
        var (variance, mean) = var_mean(features, [0L], unbiased: false, keepdim: true);
        var unit = variance.Plus(4 * decay).sqrt();
        unit = unit.where(unit.ne(zeros_like(unit)), ones_like(unit));
        // One column of ones carries the bias, which is not penalised.
        var inputs = cat([(features - mean) / unit, ones(count, 1, ScalarType.Float64)], 1);
        var truth = nn.functional.one_hot(tensor(Array.ConvertAll(labels, label => (long)label)), classes).to(ScalarType.Float64);
        using var weightOf = classWeights is null ? null : tensor(Array.ConvertAll(labels, label => classWeights[label])).unsqueeze(1);
        var penalty = cat([unit.Squared().reciprocal().t().Times(decay), zeros(1, 1, ScalarType.Float64)], 0);

        (double Loss, Tensor Gradient) Evaluate(Tensor weights)
        {
            using var inner = NewDisposeScope();
            var logits = inputs.mm(weights);
            var logProbabilities = logits.log_softmax(1);
            var fit = Weigh(truth * logProbabilities).sum().Over(count);
            var loss = (penalty * weights.Squared()).sum().Times(0.5) - fit;
            var slope = inputs.t().mm(Weigh(logProbabilities.exp() - truth)).Over(count).Plus(penalty * weights);
            return (loss.item<double>(), slope.MoveToOuterDisposeScope());
        }

        Tensor Weigh(Tensor rows) => weightOf is null ? rows : rows * weightOf;

        var start = zeros(width + 1, classes, ScalarType.Float64);
        var (solution, gradient) = LimitedMemoryBfgs.Minimise(Evaluate, start, iterations, GradientTolerance, cancellation);
        var weights = solution.narrow(0, 0, width) / unit.t();
        var weight = weights.t().contiguous().data<double>().ToArray();
        var bias = (solution.narrow(0, width, 1) - mean.mm(weights)).contiguous().data<double>().ToArray();
        var hasConverged = gradient <= GradientTolerance;
        return new Head(weight, bias) { RemainingGradient = hasConverged ? null : gradient };
    }
}

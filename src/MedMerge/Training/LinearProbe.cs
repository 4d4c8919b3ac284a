using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// Multinomial logistic regression on frozen features, or a logistic regression for each of several labels: mean cross-entropy plus
/// λ/2·‖W‖², solved to its one optimum, so there is nothing to seed. The penalty is on the weights of the features as they are: on shrunken
/// features an unpenalised head grows huge and makes the first steps of weight learning overshoot.
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
        var (labels, classes, weights) = (target.Train.Labels, target.Classes, imbalance.WeighProbe(target));
        return target.IsMultiLabel
            ? FitLabels(features, labels, classes, decay, cancellation, weights)
            : Fit(features, labels, classes, decay, cancellation, weights);
    }

    /// <summary>Fits a head. Device thread only.</summary>
    /// <param name="features">[images, features], float64.</param>
    /// <param name="labels">[images].</param>
    /// <param name="decay">λ.</param>
    /// <param name="imageWeights">[images], what each counts in the mean; null where all count alike.</param>
    /// <param name="iterations">
    /// How many at most. A head that is not at the optimum then has a <see cref="Head.RemainingGradient"/>.
    /// </param>
    public static Head Fit(
        Tensor features,
        int[] labels,
        int classes,
        double decay,
        CancellationToken cancellation,
        double[]? imageWeights = null,
        int iterations = MaxIterations)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var truth = nn.functional.one_hot(tensor(Array.ConvertAll(labels, label => (long)label)), classes).to(ScalarType.Float64);
        var weights = imageWeights is null ? null : tensor(imageWeights).unsqueeze(1);
        return Minimise(features, truth, decay, iterations, cancellation, logits =>
        {
            var logProbabilities = logits.log_softmax(1);
            return (Weigh(truth * logProbabilities, weights).neg(), Weigh(logProbabilities.exp() - truth, weights));
        });
    }

    /// <summary>
    /// Fits a head for labels of which an image may have several: logistic regression for each, their mean loss. Device thread only.
    /// </summary>
    /// <param name="sets">[images], as <see cref="LabelSet"/> has them.</param>
    /// <param name="answerWeights">[images × labels], what each counts in the mean; null where all count alike.</param>
    /// <inheritdoc cref="Fit(Tensor, int[], int, double, CancellationToken, double[], int)" path="/param" />
    public static Head FitLabels(
        Tensor features,
        int[] sets,
        int labels,
        double decay,
        CancellationToken cancellation,
        double[]? answerWeights = null)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        bool[] has = [.. sets.SelectMany(set => Enumerable.Range(0, labels).Select(label => LabelSet.Has(set, label, isMultiLabel: true)))];
        var truth = tensor(Array.ConvertAll(has, yes => yes ? 1.0 : 0)).view(sets.Length, labels);
        var weights = answerWeights is null ? null : tensor(answerWeights).view(sets.Length, labels);
        return Minimise(features, truth, decay, MaxIterations, cancellation, logits =>
        {
            var right = logits.where(truth.to(ScalarType.Bool), logits.neg()); // the logit of the right answer
            var losses = nn.functional.logsigmoid(right).neg();
            return (Weigh(losses, weights).Over(labels), Weigh(logits.sigmoid() - truth, weights).Over(labels));
        });
    }

    /// <param name="truth">[images, classes].</param>
    /// <param name="measure">From logits to each answer's loss and that loss's slope, both [images, classes].</param>
    private static Head Minimise(
        Tensor features,
        Tensor truth,
        double decay,
        int iterations,
        CancellationToken cancellation,
        Func<Tensor, (Tensor Losses, Tensor Slopes)> measure)
    {
        var (count, width) = (features.shape[0], features.shape[1]);
        // The same optimum in other units: each feature about its mean, and so large that the loss curves alike in all of them (a logit's
        // curvature is 1/4 at most). As they are, features of very different sizes take more iterations than there are.
        var (variance, mean) = var_mean(features, [0L], unbiased: false, keepdim: true);
        var unit = variance.Plus(4 * decay).sqrt();
        unit = unit.where(unit.ne(zeros_like(unit)), ones_like(unit));
        // One column of ones carries the bias, which is not penalised.
        var inputs = cat([(features - mean) / unit, ones(count, 1, ScalarType.Float64)], 1);
        var penalty = cat([unit.Squared().reciprocal().t().Times(decay), zeros(1, 1, ScalarType.Float64)], 0);

        (double Loss, Tensor Gradient) Evaluate(Tensor weights)
        {
            using var inner = NewDisposeScope();
            var (losses, slopes) = measure(inputs.mm(weights));
            var loss = (penalty * weights.Squared()).sum().Times(0.5).Plus(losses.sum().Over(count));
            var slope = inputs.t().mm(slopes).Over(count).Plus(penalty * weights);
            return (loss.item<double>(), slope.MoveToOuterDisposeScope());
        }

        var start = zeros(width + 1, truth.shape[1], ScalarType.Float64);
        var (solution, gradient) = LimitedMemoryBfgs.Minimise(Evaluate, start, iterations, GradientTolerance, cancellation);
        var weights = solution.narrow(0, 0, width) / unit.t();
        var weight = weights.t().contiguous().data<double>().ToArray();
        var bias = (solution.narrow(0, width, 1) - mean.mm(weights)).contiguous().data<double>().ToArray();
        var hasConverged = gradient <= GradientTolerance;
        return new Head(weight, bias) { RemainingGradient = hasConverged ? null : gradient };
    }

    private static Tensor Weigh(Tensor rows, Tensor? weights) => weights is null ? rows : rows * weights;
}

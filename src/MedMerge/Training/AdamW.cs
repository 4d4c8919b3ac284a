using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>AdamW (Loshchilov and Hutter 2019, algorithm 2) over tensors on a device. Its state is explicit, so it can be stored.</summary>
internal sealed class AdamW : IDisposable
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;
    private readonly Tensor _parameters;
    private readonly Tensor _means;
    private readonly Tensor _squares;
    private readonly double _weightDecay;

    /// <param name="parameters">All of them in one tensor, which is changed in place.</param>
    public AdamW(Tensor parameters, double weightDecay)
    {
        _parameters = parameters;
        _weightDecay = weightDecay;
        _means = zeros_like(_parameters, requires_grad: false).DetachFromDisposeScope();
        _squares = zeros_like(_parameters, requires_grad: false).DetachFromDisposeScope();
    }

    /// <summary>Steps made.</summary>
    public int Steps { get; private set; }

    /// <summary>One step down the gradients, given in the parameters' order.</summary>
    public void Step(IList<Tensor> gradients, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        Steps++;
        var scale = learningRate / (1 - Math.Pow(Beta1, Steps));
        var correction = Math.Sqrt(1 - Math.Pow(Beta2, Steps));
        var gradient = cat([.. gradients.Select(part => part.reshape(-1))], 0).view(_parameters.shape);
        _parameters.Scale(1 - (learningRate * _weightDecay));
        _means.Scale(Beta1).Add(gradient, 1 - Beta1);
        _squares.Scale(Beta2).AddProduct(gradient, gradient, 1 - Beta2);
        var divisor = _squares.sqrt().Over(correction).Plus(Epsilon);
        _parameters.AddQuotient(_means, divisor, -scale);
    }

    /// <summary>
    /// The same step over plain numbers, for the coordinator, which has no device: parameters and moments change in place.
    /// </summary>
    /// <param name="steps">Which step this is, from 1.</param>
    public static void Step(
        Span<float> parameters,
        ReadOnlySpan<double> gradient,
        Span<float> means,
        Span<float> squares,
        int steps,
        double learningRate,
        double weightDecay)
    {
        var scale = learningRate / (1 - Math.Pow(Beta1, steps));
        var correction = Math.Sqrt(1 - Math.Pow(Beta2, steps));
        for (var i = 0; i < parameters.Length; i++)
        {
            var mean = (Beta1 * means[i]) + ((1 - Beta1) * gradient[i]);
            var square = (Beta2 * squares[i]) + ((1 - Beta2) * gradient[i] * gradient[i]);
            means[i] = (float)mean;
            squares[i] = (float)square;
            var decayed = parameters[i] * (1 - (learningRate * weightDecay));
            parameters[i] = (float)(decayed - (scale * mean / ((Math.Sqrt(square) / correction) + Epsilon)));
        }
    }

    /// <summary>Adds copies of the moments, each name beginning with <paramref name="prefix"/>.</summary>
    public void Save(StateDict state, string prefix)
    {
        using var scope = NewDisposeScope();
        state.Add(prefix + "means", _means.clone());
        state.Add(prefix + "squares", _squares.clone());
    }

    /// <summary>Continues from moments that <see cref="Save"/> gave.</summary>
    public void Restore(StateDict state, string prefix, int steps)
    {
        Steps = steps;
        using var inference = no_grad();
        _means.copy_(state[prefix + "means"]);
        _squares.copy_(state[prefix + "squares"]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _means.Dispose();
        _squares.Dispose();
    }
}

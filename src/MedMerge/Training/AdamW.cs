using MedMerge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>AdamW (Loshchilov and Hutter 2019, algorithm 2) over tensors on a device. Its state is explicit, so it can be stored.</summary>
public sealed class AdamW : IDisposable
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;
    private readonly IReadOnlyList<Tensor> _parameters;
    private readonly Tensor[] _means, _squares;
    private readonly double _weightDecay;
    private int _steps;

    /// <param name="parameters">Changed in place.</param>
    public AdamW(IReadOnlyList<Tensor> parameters, double weightDecay)
    {
        (_parameters, _weightDecay) = (parameters, weightDecay);
        _means = [.. parameters.Select(parameter => zeros_like(parameter, requires_grad: false).DetachFromDisposeScope())];
        _squares = [.. parameters.Select(parameter => zeros_like(parameter, requires_grad: false).DetachFromDisposeScope())];
    }

    /// <summary>One step down the gradients, which stand in the parameters' order.</summary>
    public void Step(IList<Tensor> gradients, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        _steps++;
        var scale = learningRate / (1 - Math.Pow(Beta1, _steps));
        var correction = Math.Sqrt(1 - Math.Pow(Beta2, _steps));
        for (var i = 0; i < gradients.Count; i++)
        {
            _parameters[i].Scale(1 - (learningRate * _weightDecay));
            _means[i].Scale(Beta1).Add(gradients[i], 1 - Beta1);
            _squares[i].Scale(Beta2).AddProduct(gradients[i], gradients[i], 1 - Beta2);
            _parameters[i].AddQuotient(_means[i], _squares[i].sqrt().Over(correction).Plus(Epsilon), -scale);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var tensor in _means.Concat(_squares)) tensor.Dispose();
    }
}

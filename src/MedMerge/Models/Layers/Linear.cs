using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Layers;

/// <summary>
/// A linear layer with bias: a convolution whose kernel is as large as its input, so each output is a filter of its own, and its output is
/// an image of one pixel. The inputs are taken in the order channels, rows, columns.
/// </summary>
internal sealed record Linear : Layer
{
    private readonly int _inputs;

    /// <param name="name">Such as <c>classifier.0</c>.</param>
    /// <param name="inputs">Numbers of its input: channels × height × width.</param>
    public Linear(string name, int inputs, int outputs)
        : base(name, outputs, Norm: null) => _inputs = inputs;

    /// <summary>[out, inputs].</summary>
    public override long[] Shape => [Out, _inputs];

    /// <inheritdoc />
    public override IReadOnlyList<(string Name, long[] Shape)> Tensors => [(Weight, Shape), (Bias, [Out])];

    /// <inheritdoc />
    public override string Weight => Name + ".weight";

    private string Bias => Name + ".bias";

    /// <inheritdoc />
    public override Tensor Apply(Tensor input, Tensor kernel, Tensor? bias)
    {
        using var flat = input.flatten(1);
        using var output = nn.functional.linear(flat, kernel, bias);
        return output.view(-1, Out, 1, 1);
    }

    /// <inheritdoc />
    public override Tensor Apply(Tensor input, Func<string, Tensor> tensors, bool training) => Apply(input, tensors(Weight), tensors(Bias));

    /// <inheritdoc />
    public override (double[] Scale, double[] Shift) ToAffine(Func<string, float[]> tensors) =>
        ([.. Enumerable.Repeat(1.0, Out)], FilterArithmetic.Widen(tensors(Bias)));

    /// <inheritdoc />
    public override Dictionary<string, float[]> Restore(double[] scale, float[] bias, Func<string, float[]> statistics) =>
        new() { [Bias] = bias };

    /// <inheritdoc />
    public override Tensor Normalised(Tensor input, Tensor output) => output;

    /// <inheritdoc />
    /// <remarks>Kernels normal with variance 2 / fan-in (He et al. 2015), biases zero.</remarks>
    public override void Initialise(StateDict model, RandomStream random)
    {
        model.Add(Weight, DrawNormal(random, Math.Sqrt(2.0 / _inputs)));
        model.Add(Bias, zeros(Out));
    }
}

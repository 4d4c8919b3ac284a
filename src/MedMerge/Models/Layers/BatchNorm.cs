using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Layers;

/// <summary>
/// A batch norm's place in a state dictionary, under PyTorch's names, and its arithmetic: y = γ(x − μ)/√(σ²+ε) + β for each channel.
/// In evaluation mode that is the affine map sx + t with s = γ/√(σ²+ε) and t = β − sμ.
/// </summary>
/// <param name="Name">Such as <c>layer1.0.bn1</c>.</param>
/// <param name="Channels">The length of each of its tensors.</param>
internal sealed record BatchNorm(string Name, int Channels)
{
    /// <summary>ε, PyTorch's default.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>The share of a batch's statistics in the running ones, PyTorch's default.</summary>
    public const double Momentum = 0.1;

    /// <summary>The name of γ, [channels].</summary>
    public string Scale => Name + ".weight";

    /// <summary>The name of β, [channels].</summary>
    public string Shift => Name + ".bias";

    /// <summary>The name of μ, [channels].</summary>
    public string Mean => Name + ".running_mean";

    /// <summary>The name of σ², [channels].</summary>
    public string Variance => Name + ".running_var";

    /// <summary>The name of a counter that PyTorch keeps and nothing here reads.</summary>
    public string BatchesTracked => Name + ".num_batches_tracked";

    /// <summary>What it makes of <paramref name="input"/>, [batch, channels, height, width].</summary>
    /// <param name="tensors">Gives its tensors by name.</param>
    /// <param name="training">Normalise by the batch and update the running statistics, instead of using them.</param>
    public Tensor Apply(Tensor input, Func<string, Tensor> tensors, bool training) => nn.functional.batch_norm(
        input, tensors(Mean), tensors(Variance), tensors(Scale), tensors(Shift), training, Momentum, Epsilon);

    /// <summary>What one with this γ and β makes of <paramref name="input"/> by the statistics of it alone.</summary>
    public static Tensor ApplyToBatch(Tensor input, Tensor scale, Tensor shift) => nn.functional.batch_norm(
        input, null, null, scale, shift, training: true, Momentum, Epsilon);

    /// <summary>s and t in evaluation mode, [channels] each.</summary>
    /// <param name="tensors">Gives its tensors by name.</param>
    public (double[] Scale, double[] Shift) ToAffine(Func<string, float[]> tensors) => ToAffine(tensors(Scale), tensors(Shift), tensors);

    /// <summary>s and t of another γ and β.</summary>
    /// <param name="statistics">Gives μ and σ² by name.</param>
    public (double[] Scale, double[] Shift) ToAffine(float[] gamma, float[] beta, Func<string, float[]> statistics)
    {
        var (mean, variance) = (statistics(Mean), statistics(Variance));
        var (scale, shift) = (new double[Channels], new double[Channels]);
        for (var c = 0; c < Channels; c++)
        {
            scale[c] = gamma[c] / Math.Sqrt(variance[c] + Epsilon);
            shift[c] = beta[c] - (scale[c] * mean[c]);
        }
        return (scale, shift);
    }

    /// <summary>
    /// The inverse of <see cref="ToAffine(Func{string, float[]})"/>: the tensors, by name, of the batch norm that has these statistics and
    /// computes sx + t, with γ = s·√(σ²+ε) and β = t + sμ.
    /// </summary>
    /// <param name="scale">s.</param>
    /// <param name="shift">t.</param>
    public Dictionary<string, float[]> FromAffine(double[] scale, double[] shift, float[] mean, float[] variance)
    {
        var (gamma, beta) = (new float[Channels], new float[Channels]);
        for (var c = 0; c < Channels; c++)
        {
            gamma[c] = (float)(scale[c] * Math.Sqrt(variance[c] + Epsilon));
            beta[c] = (float)(shift[c] + (scale[c] * mean[c]));
        }
        return new Dictionary<string, float[]>
        {
            [Scale] = gamma,
            [Shift] = beta,
            [Mean] = mean,
            [Variance] = variance,
        };
    }

    /// <summary>Adds the batch norm that changes nothing (up to ε).</summary>
    public void AddIdentity(StateDict model) => Add(model, ones(Channels), zeros(Channels), zeros(Channels), ones(Channels));

    private void Add(StateDict model, Tensor scale, Tensor shift, Tensor mean, Tensor variance)
    {
        model.Add(Scale, scale);
        model.Add(Shift, shift);
        model.Add(Mean, mean);
        model.Add(Variance, variance);
        model.Add(BatchesTracked, zeros(1, ScalarType.Int64).squeeze());
    }
}

using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// A model's values as one array of float32 numbers: parameters first, then batch norm's running statistics, each in the state dictionary's
/// order.
/// </summary>
internal sealed class ParameterLayout
{
    private readonly List<string> _names;

    /// <param name="model">With its classifier.</param>
    public ParameterLayout(StateDict model)
    {
        var parameters = model.Names.Where(BatchNormNetwork.IsParameter).ToList();
        var statistics = model.Names.Where(BatchNormNetwork.IsStatistic).ToList();
        _names = [.. parameters, .. statistics];
        Parameters = (int)parameters.Sum(name => model[name].numel());
        Length = Parameters + (int)statistics.Sum(name => model[name].numel());
    }

    /// <summary>How many numbers are parameters.</summary>
    public int Parameters { get; }

    /// <summary>How many numbers there are.</summary>
    public int Length { get; }

    /// <summary>The numbers of a model.</summary>
    public float[] Flatten(StateDict model) => Flatten(_names.Select(name => model[name]));

    /// <summary>The numbers of tensors, one after the other; on any device.</summary>
    public static float[] Flatten(IEnumerable<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        var parts = tensors
            .Select(tensor => tensor.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray())
            .ToList();
        var numbers = new float[parts.Sum(part => part.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(numbers, at);
            at += part.Length;
        }
        return numbers;
    }

    /// <summary>Writes numbers into tensors, in their order.</summary>
    public static void CopyTo(ReadOnlySpan<float> numbers, IEnumerable<Tensor> tensors)
    {
        using var inference = no_grad();
        foreach (var target in tensors)
        {
            using var scope = NewDisposeScope();
            var length = (int)target.numel();
            target.copy_(tensor(numbers[..length].ToArray()).view(target.shape));
            numbers = numbers[length..];
        }
    }

    /// <summary>A copy of a model with other numbers.</summary>
    public StateDict Unflatten(float[] numbers, StateDict model)
    {
        var copy = model.Clone();
        CopyTo(numbers, _names.Select(name => copy[name]));
        return copy;
    }
}

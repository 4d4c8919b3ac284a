using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>A model with its batch norm and classifier on a device: what is fine-tuned and evaluated. Device thread only.</summary>
internal sealed class BatchNormNetwork : IDisposable
{
    private readonly Architecture _architecture;
    private readonly OrderedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <param name="weights">Under the architecture's names, with a classifier; copied.</param>
    public BatchNormNetwork(Architecture architecture, StateDict weights, Device device, ScalarType type = ScalarType.Float32)
    {
        _architecture = architecture;
        using var scope = NewDisposeScope();
        var parameters = weights.Names.Where(IsParameter).ToList();
        var statistics = weights.Names.Where(IsStatistic).ToList();
        var parts = parameters.Concat(statistics).Select(name => weights[name].reshape(-1).to(type));
        Values = cat([.. parts], 0).to(device).DetachFromDisposeScope();
        var views = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var at = 0L;
        foreach (var name in parameters.Concat(statistics))
        {
            var shape = weights[name].shape;
            var length = weights[name].numel();
            views.Add(name, Values.narrow(0, at, length).view(shape).DetachFromDisposeScope());
            at += length;
        }
        foreach (var (name, tensor) in weights)
            _tensors.Add(name, views.GetValueOrDefault(name) ?? tensor.clone().to(device).DetachFromDisposeScope());
        Parameters = [.. parameters.Select(name => views[name])];
        Statistics = [.. statistics.Select(name => views[name])];
        ParameterValues = Values.narrow(0, 0, Parameters.Sum(parameter => parameter.numel())).DetachFromDisposeScope();
    }

    /// <summary>
    /// All parameters, then all running statistics, in one tensor that <see cref="Parameters"/> and <see cref="Statistics"/> are views of:
    /// an optimiser's step is a few operations, and a copy to or from the device one transfer, whatever the number of layers.
    /// </summary>
    public Tensor Values { get; }

    /// <summary>The parameters among <see cref="Values"/>, a view.</summary>
    public Tensor ParameterValues { get; }

    /// <summary>What training changes: kernels, batch norm's scale and shift, classifier; in the state dictionary's order.</summary>
    public Tensor[] Parameters { get; }

    /// <summary>Batch norm's running means and variances, in the state dictionary's order.</summary>
    public Tensor[] Statistics { get; }

    /// <summary>The logits, [batch, classes].</summary>
    /// <param name="training">Normalise by the batch and update the running statistics, instead of using them.</param>
    public Tensor Forward(Tensor images, bool training)
    {
        var features = Features(images, training);
        var classifier = _architecture.Classifier;
        return nn.functional.linear(features, _tensors[classifier + ".weight"], _tensors[classifier + ".bias"]);
    }

    /// <summary>The features before the classifier, [batch, features].</summary>
    public Tensor Features(Tensor images, bool training) => _architecture.Forward(
        images,
        (layer, input) => _architecture.Layers[layer].Apply(input, name => _tensors[name], training));

    /// <summary>A copy of its tensors as they are now.</summary>
    public StateDict Snapshot()
    {
        var copy = new StateDict();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in _tensors) copy.Add(name, tensor.detach().clone());
        return copy;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values) tensor.Dispose();
        ParameterValues.Dispose();
        Values.Dispose();
    }

    /// <summary>Whether training changes the tensor of that name.</summary>
    public static bool IsParameter(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith(".bias", StringComparison.Ordinal);

    /// <summary>Whether the tensor of that name is a batch norm's running mean or variance.</summary>
    public static bool IsStatistic(string name) =>
        name.EndsWith(".running_mean", StringComparison.Ordinal) || name.EndsWith(".running_var", StringComparison.Ordinal);
}

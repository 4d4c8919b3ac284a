using System.Collections;
using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>
/// Named CPU tensors in a fixed order, as PyTorch's <c>state_dict()</c>. It owns its tensors: they outlive every dispose scope until
/// the dictionary itself is disposed.
/// </summary>
internal sealed class StateDict : IDisposable, IEnumerable<KeyValuePair<string, Tensor>>
{
    private readonly OrderedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>The number of tensors.</summary>
    public int Count => _tensors.Count;

    /// <summary>The tensors' names, in order.</summary>
    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Tensor this[string name] =>
        _tensors.TryGetValue(name, out var tensor) ? tensor : throw new KeyNotFoundException($"There is no tensor '{name}'.");

    /// <summary>Takes <paramref name="tensor"/> over: detached, on the CPU, contiguous, out of any dispose scope.</summary>
    /// <exception cref="ArgumentException">The name is there already.</exception>
    public void Add(string name, Tensor tensor)
    {
        using var scope = NewDisposeScope(); // for the handles in between
        var owned = tensor.detach().cpu().contiguous().DetachFromDisposeScope();
        if (_tensors.TryAdd(name, owned)) return;
        owned.Dispose();
        throw new ArgumentException($"The tensor '{name}' is duplicated.", nameof(name));
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>An independent copy.</summary>
    public StateDict Clone()
    {
        var copy = new StateDict();
        foreach (var (name, tensor) in _tensors)
        {
            using var scope = NewDisposeScope();
            copy.Add(name, tensor.clone());
        }
        return copy;
    }

    /// <summary>Copies of its tensors, which must be float32, in their order.</summary>
    public OrderedDictionary<string, PlainTensor> ToFloats() =>
        new(_tensors.Select(pair => KeyValuePair.Create(pair.Key, PlainTensor.Of(pair.Value))), StringComparer.Ordinal);

    /// <summary>Names the first floating-point tensor that holds a NaN or an infinity, or returns null.</summary>
    public string? FirstNonFinite()
    {
        foreach (var (name, tensor) in _tensors)
        {
            if (!tensor.is_floating_point()) continue;
            using var finite = tensor.isfinite();
            using var all = finite.all();
            if (!all.item<bool>()) return name;
        }
        return null;
    }

    /// <summary>Names the first of a batch norm's variances (<c>NAME.running_var</c>) with a value below zero, or returns null.</summary>
    public string? FirstNegativeVariance()
    {
        using var scope = NewDisposeScope();
        return _tensors.FirstOrDefault(pair => pair.Key.EndsWith(".running_var", StringComparison.Ordinal) && pair.Value.numel() > 0
                                               && pair.Value.min().to(ScalarType.Float64).item<double>() < 0).Key;
    }

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, Tensor>> GetEnumerator() => _tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values) tensor.Dispose();
        _tensors.Clear();
    }
}

namespace MedMerge.Tensors;

/// <summary>
/// A tensor whose element type is none of <see cref="ElementType.All"/>: what its file says about it, without its values.
/// </summary>
/// <param name="Type">The type's safetensors name, such as <c>F8_E4M3</c>.</param>
internal sealed record UnreadTensor(string Name, string Type, IReadOnlyList<long> Shape);

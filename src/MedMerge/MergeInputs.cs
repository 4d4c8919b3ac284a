namespace MedMerge;

/// <summary>A source model's weight file.</summary>
/// <param name="Name">What kernel weights and messages call it.</param>
/// <param name="Path">A safetensors file, a PyTorch checkpoint or an ONNX model.</param>
public sealed record SourceFile(string Name, string Path)
{
    /// <summary>
    /// Which of several models in the file is meant: what stands before its tensors' names, such as <c>teacher</c>, or the start of it.
    /// Null where the file holds one model, and for learned kernel weights, which know their source.
    /// </summary>
    public string? Prefix { get; init; }
}

/// <summary>What is merged, and the data set to merge it for.</summary>
public sealed record MergeInputs
{
    /// <summary>The architecture of all sources: one of the names in docs/specification.md, such as <c>resnet18</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Multiplies every layer's channels.</summary>
    public double Width { get; init; } = 1;

    /// <summary>At least two, of different initialisations.</summary>
    public required IReadOnlyList<SourceFile> Sources { get; init; }

    /// <summary>The target: a MedMNIST file (<c>.npz</c>), or <c>phantom:NAME</c> for synthetic images.</summary>
    public required string Data { get; init; }
}

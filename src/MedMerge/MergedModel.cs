using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge;

/// <summary>A merge: the model, the kernel weights it was merged by, and the proof. Plain data, nothing to dispose of.</summary>
public sealed class MergedModel
{
    private readonly byte[] _model;
    private readonly byte[] _kernelWeightFile;

    /// <param name="learned">What the file of kernel weights holds; not kept.</param>
    internal MergedModel(byte[] model, byte[] kernelWeightFile, LearnedKernelWeights learned)
    {
        _model = model;
        _kernelWeightFile = kernelWeightFile;
        Sources = [.. learned.Sources.Select(source => source.Name)];
        KernelWeights = learned.Alpha;
    }

    /// <summary>The sources' names, in the order of <see cref="KernelWeights"/>.</summary>
    public IReadOnlyList<string> Sources { get; }

    /// <summary>The model as a safetensors file: an ordinary state dictionary under the architecture's PyTorch names.</summary>
    public ReadOnlyMemory<byte> Model => _model;

    /// <summary>
    /// The kernel weights with the target's statistics and classifier, as <see cref="ModelMerger.ApplyAsync"/> reads
    /// them.
    /// </summary>
    public ReadOnlyMemory<byte> KernelWeightFile => _kernelWeightFile;

    /// <summary>α, for every source, layer and filter.</summary>
    public KernelWeightMatrix KernelWeights { get; }

    /// <summary>The proof that the model computes the weighted features; null where it was merged without data.</summary>
    public Certificate? Certificate { get; internal init; }

    /// <summary>How the kernel weights were learned, epoch by epoch, 0 being the start; empty where they were not.</summary>
    public IReadOnlyList<EpochRecord> History { get; internal init; } = [];

    /// <summary>What was detected while reading the sources and merging, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>Writes <see cref="Model"/>.</summary>
    /// <exception cref="IOException">The file can't be written.</exception>
    public Task SaveModelAsync(string path, CancellationToken cancellation = default) =>
        File.WriteAllBytesAsync(path, _model, cancellation);

    /// <summary>Writes <see cref="KernelWeightFile"/>.</summary>
    /// <exception cref="IOException">The file can't be written.</exception>
    public Task SaveKernelWeightsAsync(string path, CancellationToken cancellation = default) =>
        File.WriteAllBytesAsync(path, _kernelWeightFile, cancellation);
}

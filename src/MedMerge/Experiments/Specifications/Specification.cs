using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>A run, frozen: everything that decides its numbers. See docs/specification.md for the YAML form.</summary>
public sealed record Specification
{
    /// <summary>Shown in tables and file names.</summary>
    public required string Name { get; init; }

    /// <summary>The data set that everything is learned on and measured on.</summary>
    public required DatasetSource Target { get; init; }

    /// <summary>The one architecture of all sources and of the merged model.</summary>
    public required Architecture Architecture { get; init; }

    /// <summary>At least two.</summary>
    public required IReadOnlyList<SourceModel> Sources { get; init; }

    /// <summary>Index of the source that α starts from.</summary>
    public int Anchor { get; init; }

    /// <summary>What is run and compared.</summary>
    public required IReadOnlyList<MethodKind> Methods { get; init; }

    /// <summary>Each method runs once for each.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>How kernel weights are learned.</summary>
    public KernelWeightSettings Weights { get; init; } = new();

    /// <summary>How models are fine-tuned.</summary>
    public FineTuneSettings FineTune { get; init; } = new();

    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Trials at a time over the whole cluster; null is one for each node that has the device. No number depends on it.</summary>
    public int? Parallel { get; init; }

    /// <summary>libtorch's threads; its sums depend on them.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Passes over the training images that every method gets, all stages counted: the probe, learning the weights, measuring batch norm,
    /// fine-tuning.
    /// </summary>
    public int Budget => 1 + Weights.Epochs + 1 + FineTune.Epochs;
}

/// <summary>A source model: a weight file, or a data set that it is pretrained on as part of the run.</summary>
/// <param name="Weights">Path of a safetensors file or PyTorch checkpoint; null where it is pretrained.</param>
/// <param name="Pretrain">How it is made; null where it is read.</param>
public sealed record SourceModel(string Name, string? Weights, Pretraining? Pretrain);

/// <summary>Making a source model: training from scratch on a data set.</summary>
public sealed record Pretraining(DatasetSource Data, FineTuneSettings Training, ulong Seed);

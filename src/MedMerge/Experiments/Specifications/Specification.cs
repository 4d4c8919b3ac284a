using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>A sweep as its user describes it: everything that decides its numbers. See docs/specification.md for the YAML form.</summary>
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

    /// <summary>Names of what is run and compared.</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>Each method runs once for each.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>How everything is trained.</summary>
    public ScenarioSettings Settings { get; init; } = new();

    /// <summary>Trials at a time over the whole cluster; null is one for each node that has the device. No number depends on it.</summary>
    public int? Parallel { get; init; }
}

/// <summary>A source model: a weight file, or a data set that it is pretrained on as part of the run.</summary>
/// <param name="Weights">Path of a safetensors file or PyTorch checkpoint; null where it is pretrained.</param>
/// <param name="Pretrain">How it is made; null where it is read.</param>
public sealed record SourceModel(string Name, string? Weights, Pretraining? Pretrain)
{
    /// <summary>With where it comes from, as shown to people: <c>cells (pretrained on phantom:cells (synthetic))</c>.</summary>
    public string GetTitle()
    {
        if (Pretrain is null) return $"{Name} ({Path.GetFileName(Weights)})";
        var data = Pretrain.Data;
        var origin = data.IsPhantom ? $"{data.Location} (synthetic)" : Path.GetFileNameWithoutExtension(data.Location);
        return $"{Name} (pretrained on {origin})";
    }
}

/// <summary>Making a source model: training from scratch on a data set.</summary>
public sealed record Pretraining(DatasetSource Data, FineTuneSettings Training, ulong Seed);

using System.Text.Json.Serialization;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>What is known about a source model besides its parameters.</summary>
/// <param name="Sha256">Hash of its backbone.</param>
/// <param name="Notes">Decisions that the reader made.</param>
internal sealed record SourceInfo(string Sha256, IReadOnlyList<string> Notes)
{
    /// <summary>Its name, where only the stage that selects it knows that; otherwise null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>What it was trained to take; null where its file does not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ModelSignature? Signature { get; init; }
}

/// <summary>Reads a weight file and renames its tensors to the architecture's names.</summary>
/// <param name="Prefix">Which of several models in the file is meant; null where there is one.</param>
/// <param name="FileHash">SHA-256 of the file, which identifies it whatever its path.</param>
internal sealed record ImportStage(string Path, string? Prefix, string FileHash, Architecture Architecture) : Stage
{
    /// <inheritdoc />
    public override string Name => "import";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [];

    /// <inheritdoc />
    protected override object Settings => Prefix is null
        ? new { FileHash, Architecture.Title }
        : new { FileHash, Architecture.Title, Prefix };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override async Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var bytes = await context.ReadFile(Path, ModelFile.Kind, cancellation).ConfigureAwait(false);
        CheckHash(ContentHash.Of(bytes));
        return await context.Device.RunAsync(() =>
        {
            using var file = ModelFile.Read(bytes, $"'{Path}'");
            var notes = new List<string>();
            using var weights = ModelImport.Import(Architecture, file, Prefix, $"'{Path}'", notes);
            return CreateSourceOutput(Architecture, weights, notes, ModelSignature.Read(file.Metadata));
        }, cancellation).ConfigureAwait(false);
    }

    internal static StageOutput CreateSourceOutput(
        Architecture architecture,
        StateDict weights,
        IReadOnlyList<string> notes,
        ModelSignature? signature = null)
    {
        var source = new SourceInfo(SourceHash.Compute(architecture, weights), notes) { Signature = signature };
        return new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Model] = Safetensors.Write(weights, ModelMetadata.Of(architecture, signature)),
            [StageFiles.Source] = StageFiles.Write(source),
        });
    }

    /// <summary>The output of a changed file would be saved under the wrong key.</summary>
    private void CheckHash(string hash)
    {
        if (hash == FileHash) return;
        throw new InputException(
            $"The weight file '{Path}' has changed since the run was planned: its SHA-256 is {hash[..12]}…, was {FileHash[..12]}…. " +
            "Start the run again.");
    }
}

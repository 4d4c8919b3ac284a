using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>What is known of a source model besides its weights.</summary>
/// <param name="Sha256">Hash of its backbone.</param>
/// <param name="Notes">What the reader decided by itself.</param>
public sealed record SourceInfo(string Sha256, IReadOnlyList<string> Notes);

/// <summary>Reads a weight file into the architecture's own names.</summary>
/// <param name="FileHash">SHA-256 of the file: its path does not matter.</param>
public sealed record ImportStage(string Path, string FileHash, Architecture Architecture) : Stage
{
    /// <inheritdoc />
    public override string Name => "import";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [];

    /// <inheritdoc />
    protected override object Settings => new { FileHash, Architecture.Title };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override async Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var bytes = await context.Files(Path, ModelFile.Kind, cancellation).ConfigureAwait(false);
        if (ContentHash.Of(bytes) is var hash && hash != FileHash) // its output would be kept under a key that says otherwise
            throw new InputException($"The weight file '{Path}' has changed since the run was planned: its SHA-256 is {hash[..12]}…, was {FileHash[..12]}…. Start the run again.");
        return await context.Device.RunAsync(() =>
        {
            using var file = ModelFile.Read(bytes, $"'{Path}'");
            var notes = new List<string>();
            using var weights = ModelImport.Import(Architecture, file, $"'{Path}'", notes);
            return SourceOutput(Architecture, weights, notes);
        }, cancellation).ConfigureAwait(false);
    }

    internal static StageOutput SourceOutput(Architecture architecture, StateDict weights, IReadOnlyList<string> notes) => new(new Dictionary<string, byte[]>
    {
        [StageFiles.Model] = Safetensors.Write(weights),
        [StageFiles.Source] = StageFiles.Write(new SourceInfo(SourceHash.Compute(architecture, weights), notes)),
    });
}

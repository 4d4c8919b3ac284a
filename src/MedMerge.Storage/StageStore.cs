using System.Text.Json.Serialization;
using MedMerge.Experiments.Stages;
using MedMerge.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.Storage;

/// <summary>
/// Stages' outputs: the files are artefacts, <c>stages/KEY</c> lists them. The list is written last, so an output is
/// there whole or not at all; what a crash leaves behind are unreferenced artefacts.
/// </summary>
/// <param name="logger">Where damage goes that costs time only; null for nowhere.</param>
internal sealed class StageStore(IObjectStore objects, ILogger<StageStore>? logger = null) : IStageStore
{
    /// <summary>Prefix of all lists.</summary>
    public const string Prefix = "stages/";

    private const string Kind = "stage";
    private readonly ArtefactStore _artefacts = new(objects);

    /// <inheritdoc />
    public async Task<StageOutput?> FindAsync(string key, CancellationToken cancellation)
    {
        if (await ListedAsync(key, cancellation).ConfigureAwait(false) is not { } listed) return null;
        var files = new Dictionary<string, byte[]>();
        foreach (var (name, hash) in listed.Files)
        {
            if (await _artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false) is not { } content) return null;
            files[name] = content;
        }
        return new StageOutput(files) { Timing = listed.Timing };
    }

    /// <inheritdoc />
    public async Task<byte[]?> FindFileAsync(string key, string name, CancellationToken cancellation)
    {
        var listed = await ListedAsync(key, cancellation).ConfigureAwait(false);
        if (listed?.Files.GetValueOrDefault(name) is not { } hash) return null;
        return await _artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether an output is listed. Its files are not read: damage shows when they are needed.</summary>
    public async Task<bool> HasAsync(string key, CancellationToken cancellation) =>
        await ListedAsync(key, cancellation).ConfigureAwait(false) is not null;

    /// <summary>The artefact that holds a file of a stage's output; null where it is not listed. It is not read.</summary>
    public async Task<string?> FindArtefactAsync(string key, string name, CancellationToken cancellation) =>
        (await ListedAsync(key, cancellation).ConfigureAwait(false))?.Files.GetValueOrDefault(name);

    /// <summary>How long a stage took to compute; null where it is not listed, or was computed by a version that did not measure.</summary>
    public async Task<StageTiming?> FindTimingAsync(string key, CancellationToken cancellation) =>
        (await ListedAsync(key, cancellation).ConfigureAwait(false))?.Timing;

    /// <summary>How far some stages are.</summary>
    /// <param name="keys">The stages' keys.</param>
    public async Task<StoredProgress> ProgressAsync(IEnumerable<string> keys, CancellationToken cancellation)
    {
        var progress = new StoredProgress(Outputs: 0, Checkpoints: 0);
        foreach (var key in keys)
        {
            progress = await HasAsync(key, cancellation).ConfigureAwait(false)
                ? progress with { Outputs = progress.Outputs + 1 }
                : progress with { Checkpoints = progress.Checkpoints + await CheckpointsOfAsync(key, cancellation).ConfigureAwait(false) };
        }
        return progress;
    }

    private Task<int> CheckpointsOfAsync(string key, CancellationToken cancellation) =>
        new CheckpointStore(objects, key).CountAsync(cancellation);

    /// <summary>Invalidates an output that was found damaged: the next run computes it again.</summary>
    public Task ForgetAsync(string key, CancellationToken cancellation) => objects.DeleteAsync(Prefix + key, cancellation);

    /// <summary>
    /// The output of a stage that is listed; one that turns out damaged is taken off the list, so that the next attempt
    /// computes it again.
    /// </summary>
    /// <exception cref="MissingOutputException">It is missing or damaged.</exception>
    public async Task<StageOutput> GetOrForgetAsync(Stage stage, CancellationToken cancellation)
    {
        if (await FindAsync(stage.Key, cancellation).ConfigureAwait(false) is { } output) return output;
        await ForgetAsync(stage.Key, cancellation).ConfigureAwait(false);
        throw new MissingOutputException(stage.Key);
    }

    /// <inheritdoc />
    public ICheckpoints Checkpoints(string key) => new StageCheckpoints(objects, key, logger ?? NullLogger<StageStore>.Instance);

    /// <inheritdoc />
    public async Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, content) in output.Files)
            files[name] = await _artefacts.WriteAsync(content, cancellation).ConfigureAwait(false);
        var manifest = Manifest.Write(Kind, commit: "", new StageFilesList(stage, files, output.Timing));
        if (await objects.TryCreateAsync(Prefix + key, manifest, cancellation).ConfigureAwait(false) is not null) return;

        // A list is there already. That of a run beside this one stays, for others have read it; a damaged one is replaced.
        var current = await objects.ReadAsync(Prefix + key, cancellation).ConfigureAwait(false);
        if (current is null || FilesOf(current.Content)?.SequenceEqual(files) == true) return;
        if (await FindAsync(key, cancellation).ConfigureAwait(false) is null)
            await objects.TryReplaceAsync(Prefix + key, manifest, current.ETag, cancellation).ConfigureAwait(false);
    }

    /// <summary>The keys of all listed outputs.</summary>
    public async Task<HashSet<string>> KeysAsync(CancellationToken cancellation)
    {
        var keys = new HashSet<string>();
        await foreach (var found in objects.ListAsync(Prefix, cancellation).ConfigureAwait(false)) keys.Add(found.Name[Prefix.Length..]);
        return keys;
    }

    /// <summary>The artefacts that a list refers to by file name, or null where the list is damaged.</summary>
    public static IReadOnlyDictionary<string, string>? FilesOf(ReadOnlyMemory<byte> manifest) =>
        Manifest.Read<StageFilesList>(manifest, Kind)?.Files;

    private async Task<StageFilesList?> ListedAsync(string key, CancellationToken cancellation) =>
        (await Manifest.ReadAsync<StageFilesList>(objects, Prefix + key, Kind, cancellation).ConfigureAwait(false)).Body;

    private sealed record StageFilesList(
        string Stage,
        SortedDictionary<string, string> Files,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] StageTiming? Timing = null);
}

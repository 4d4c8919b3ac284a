using System.Text.Json;
using MedMerge.Experiments;

namespace MedMerge.Storage;

/// <summary>
/// Stages' outputs: the files are artefacts, <c>stages/KEY</c> lists them. The list is written last, so an output is there whole or not at
/// all; what a crash leaves behind are artefacts that nobody refers to.
/// </summary>
public sealed class StageStore(IObjectStore objects) : IStageStore
{
    /// <summary>Where the lists lie.</summary>
    public const string Prefix = "stages/";

    private const int Schema = 1;
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };
    private readonly ArtefactStore _artefacts = new(objects);

    /// <inheritdoc />
    public async Task<StageOutput?> FindAsync(string key, CancellationToken cancellation)
    {
        if (Parse(await objects.ReadAsync(Prefix + key, cancellation).ConfigureAwait(false)) is not { } manifest) return null;
        var files = new Dictionary<string, byte[]>();
        foreach (var (name, hash) in manifest.Files)
        {
            if (await _artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false) is not { } content) return null;
            files[name] = content;
        }
        return new StageOutput(files);
    }

    /// <inheritdoc />
    public async Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, content) in output.Files) files[name] = await _artefacts.WriteAsync(content, cancellation).ConfigureAwait(false);
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new Manifest(Schema, stage, files), Json);
        if (await objects.TryCreateAsync(Prefix + key, manifest, cancellation).ConfigureAwait(false) is not null) return;

        // A list is there already: of a run beside this one, or one that was found damaged.
        var current = await objects.ReadAsync(Prefix + key, cancellation).ConfigureAwait(false);
        if (current is not null && !current.Content.AsSpan().SequenceEqual(manifest))
            await objects.TryReplaceAsync(Prefix + key, manifest, current.ETag, cancellation).ConfigureAwait(false);
    }

    /// <summary>The keys of all outputs that are listed.</summary>
    public async Task<HashSet<string>> KeysAsync(CancellationToken cancellation)
    {
        var keys = new HashSet<string>();
        await foreach (var name in objects.ListAsync(Prefix, cancellation).ConfigureAwait(false)) keys.Add(name[Prefix.Length..]);
        return keys;
    }

    private static Manifest? Parse(StoredObject? stored)
    {
        try
        {
            return stored is null ? null : JsonSerializer.Deserialize<Manifest>(stored.Content, Json) is { Schema: Schema } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Manifest(int Schema, string Stage, SortedDictionary<string, string> Files);
}

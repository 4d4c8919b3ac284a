using System.Text;
using System.Text.Json;

namespace MedMerge.Storage;

/// <summary>
/// Small JSON objects that say what is: <c>{"schema": 1, "kind": …, "commit": …, "sha256": …, "body": {…}}</c>. The
/// hash is over the commit and the body's text, so a truncated or altered manifest is noticed; the commit is a number of the
/// writer's own, by which it recognises its own write.
/// </summary>
public static class Manifest
{
    private const int Schema = 1;
    private const int ReadAttempts = 3; // a body that was damaged in transit is whole the next time
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>A manifest's bytes.</summary>
    /// <param name="commit">Unique to this write where two writers may compete; empty where equal content is the same
    /// write.</param>
    public static byte[] Write<T>(string kind, string commit, T body) => Write(kind, commit, JsonSerializer.Serialize(body, Json));

    /// <summary>The body, or default where the bytes are not a whole manifest of that kind and this schema.</summary>
    public static T? Read<T>(ReadOnlyMemory<byte> content, string kind) where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            var root = document.RootElement;
            var body = root.GetProperty("body");
            // Written again, it must be the same bytes: one schema, the right hash, nothing else.
            var again = Write(kind, root.GetProperty("commit").GetString() ?? "", body.GetRawText());
            return content.Span.SequenceEqual(again) ? body.Deserialize<T>(Json) : null;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>The commit id that its writer gave it, or null where the bytes are no manifest.</summary>
    public static string? CommitOf(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            return document.RootElement.GetProperty("commit").GetString();
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Reads a manifest from a store, again where a body arrived damaged.</summary>
    /// <returns>The body, null where the stored manifest is damaged, and the object's ETag, null where there is no
    /// object.</returns>
    public static async Task<(T? Body, string? ETag)> ReadAsync<T>(
        IObjectStore objects,
        string name,
        string kind,
        CancellationToken cancellation)
        where T : class
    {
        string? etag = null;
        for (var attempt = 0; attempt < ReadAttempts; attempt++)
        {
            if (await objects.ReadAsync(name, cancellation).ConfigureAwait(false) is not { } stored) return (null, null);
            etag = stored.ETag;
            if (Read<T>(stored.Content, kind) is { } body) return (body, etag);
        }
        return (null, etag);
    }

    private static byte[] Write(string kind, string commit, string text)
    {
        var header = $$"""
            {"schema":{{Schema}},"kind":{{JsonSerializer.Serialize(kind)}},"commit":{{JsonSerializer.Serialize(commit)}},
            """;
        return Encoding.UTF8.GetBytes($$"""{{header}}"sha256":"{{ContentHash.Of($"{commit}\n{text}")}}","body":{{text}}}""");
    }
}

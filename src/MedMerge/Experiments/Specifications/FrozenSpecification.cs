using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A specification in the form that nodes receive: defaults are explicit and files are named by their content as
/// <c>sha256:HASH/NAME</c>, so that every node reads the same.
/// </summary>
internal static class FrozenSpecification
{
    private const string Scheme = "sha256:";
    private const int HashLength = 64;

    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter(), new ArchitectureConverter() },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, // a setting of another version must not be lost silently
    };

    /// <summary>The files that a specification names, each once.</summary>
    public static IReadOnlyList<(string Location, string Kind)> Files(Specification specification) =>
    [
        .. DataFiles(specification),
        .. specification.Sources
            .Select(source => source.Weights)
            .OfType<string>()
            .Distinct()
            .Select(path => (path, ModelFile.Kind)),
    ];

    /// <summary>The data sets among the files that a specification names, each once.</summary>
    public static IEnumerable<(string Location, string Kind)> DataFiles(Specification specification) =>
        specification.Sources
            .Select(source => source.Pretrain?.Data)
            .Append(specification.Target)
            .OfType<DatasetSource>()
            .Where(source => source.Format.FileKind is not null)
            .Select(source => (source.Location, source.Format.FileKind!))
            .Distinct();

    /// <summary>Names every file of a specification by its content.</summary>
    /// <param name="address">Gets the <see cref="Address"/> of a location.</param>
    public static Specification Freeze(Specification specification, Func<string, string> address)
    {
        return specification with
        {
            Target = FreezeData(specification.Target),
            Sources = [.. specification.Sources.Select(FreezeSource)],
        };

        DatasetSource FreezeData(DatasetSource data) =>
            data.Format.FileKind is null ? data : data with { Location = address(data.Location) };

        SourceModel FreezeSource(SourceModel source) => source with
        {
            Weights = source.Weights is null ? null : address(source.Weights),
            Pretrain = source.Pretrain is { } pretrain ? pretrain with { Data = FreezeData(pretrain.Data) } : null,
        };
    }

    /// <summary>Names a file by its content: <c>sha256:HASH/NAME</c>.</summary>
    /// <param name="path">Its file name is kept for display.</param>
    public static string Address(ReadOnlySpan<byte> content, string path) =>
        $"{Scheme}{ContentHash.Of(content)}/{Path.GetFileName(path)}";

    /// <summary>The SHA-256 in an address, in hexadecimal; null if the location is a path.</summary>
    public static string? HashOf(string location)
    {
        if (!location.StartsWith(Scheme, StringComparison.Ordinal)) return null;
        var rest = location[Scheme.Length..];
        var hasHash = rest.Length > HashLength && rest[HashLength] == '/';
        if (!hasHash) return null;
        var hash = rest[..HashLength];
        return hash.AsSpan().ContainsAnyExcept("0123456789abcdef") ? null : hash;
    }

    /// <summary>Writes a specification as JSON.</summary>
    public static byte[] Write(Specification specification) => JsonSerializer.SerializeToUtf8Bytes(specification, Json);

    /// <summary>Reads a specification from JSON.</summary>
    /// <exception cref="JsonException">The JSON is not a frozen specification of this version.</exception>
    public static Specification Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<Specification>(json, Json) ?? throw new JsonException("The specification is null.");

    private sealed class ArchitectureConverter : JsonConverter<Architecture>
    {
        public override Architecture Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var named = JsonSerializer.Deserialize<Named>(ref reader, options) ?? throw new JsonException("The architecture is null.");
            return Architectures.Create(named.Name, named.Width);
        }

        public override void Write(Utf8JsonWriter writer, Architecture value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Named(value.Name, value.Width), options);

        private sealed record Named(string Name, double Width);
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A specification as nodes get it: every default written out, and every file named by its content as <c>sha256:HASH/NAME</c>, so that no
/// two nodes read it differently.
/// </summary>
public static class FrozenSpecification
{
    private const string Scheme = "sha256:";
    private const int HashLength = 64;
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter(), new ArchitectureConverter() },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, // a setting of another version must not be lost in silence
    };

    /// <summary>The files that a specification names, each once.</summary>
    public static IReadOnlyList<(string Location, string Kind)> Files(Specification specification) =>
    [
        .. DataFiles(specification),
        .. specification.Sources.Select(source => source.Weights).OfType<string>().Distinct().Select(path => (path, ModelFile.Kind)),
    ];

    /// <summary>Those that are data sets.</summary>
    public static IEnumerable<(string Location, string Kind)> DataFiles(Specification specification) =>
        specification.Sources
            .Select(source => source.Pretrain?.Data)
            .Append(specification.Target)
            .OfType<DatasetSource>()
            .Where(source => !source.IsPhantom)
            .Select(source => (source.Location, MedMnistReader.Kind))
            .Distinct();

    /// <summary>The same with every file named by its content.</summary>
    /// <param name="address">Gives a location's <see cref="Address"/>.</param>
    public static Specification Freeze(Specification specification, Func<string, string> address)
    {
        DatasetSource Frozen(DatasetSource data) => data.IsPhantom ? data : data with { Location = address(data.Location) };
        return specification with
        {
            Target = Frozen(specification.Target),
            Sources = [.. specification.Sources.Select(source => source with
            {
                Weights = source.Weights is null ? null : address(source.Weights),
                Pretrain = source.Pretrain is { } pretrain ? pretrain with { Data = Frozen(pretrain.Data) } : null,
            })],
        };
    }

    /// <summary>A file's name by its content.</summary>
    /// <param name="path">Its last part is kept, to be shown.</param>
    public static string Address(ReadOnlySpan<byte> content, string path) => $"{Scheme}{ContentHash.Of(content)}/{Path.GetFileName(path)}";

    /// <summary>The SHA-256 in an address, in hexadecimal, or null where the location is a path.</summary>
    public static string? HashOf(string location)
    {
        const int end = HashLength;
        if (!location.StartsWith(Scheme, StringComparison.Ordinal)) return null;
        var rest = location[Scheme.Length..];
        var isAddress = rest.Length > end && rest[end] == '/' && rest.AsSpan(0, end).IndexOfAnyExcept("0123456789abcdef") < 0;
        return isAddress ? rest[..end] : null;
    }

    /// <summary>As JSON.</summary>
    public static byte[] Write(Specification specification) => JsonSerializer.SerializeToUtf8Bytes(specification, Json);

    /// <summary>Back from JSON.</summary>
    /// <exception cref="JsonException">It is no frozen specification.</exception>
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

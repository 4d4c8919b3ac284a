using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A specification in the form that nodes receive: defaults are explicit, and weight files and packed data sets are named by
/// their content as <c>sha256:HASH/NAME</c>, so that every node reads the same.
/// </summary>
internal static class FrozenSpecification
{
    private const int HashLength = 64;

    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter(), new ArchitectureConverter() },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, // a setting of another version must not be lost silently
    };

    /// <summary>The data sets and weight files that a specification names, each location once.</summary>
    public static IReadOnlyList<(string Location, string Kind)> Files(Specification specification) =>
    [
        .. Datasets(specification).Select(source => (source.Location, ImageDataset.Kind)).Distinct(),
        .. WeightFiles(specification).Select(path => (path, ModelFile.Kind)),
    ];

    /// <summary>The data sets that a specification names, each once.</summary>
    public static IEnumerable<DatasetSource> Datasets(Specification specification) =>
        specification.Sources
            .Select(source => source.Pretrain?.Data)
            .Append(specification.Target)
            .Concat(specification.GetPoints().Select(point => point.Target))
            .OfType<DatasetSource>()
            .Distinct();

    /// <summary>The weight files that a specification names, each once.</summary>
    public static IEnumerable<string> WeightFiles(Specification specification) =>
        specification.Sources.Select(source => source.Weights).OfType<string>().Distinct();

    /// <summary>
    /// Names everything by its content. A data set's options are left out: they were applied when it was packed.
    /// </summary>
    /// <param name="data">Gets the <see cref="Address"/> of a packed data set.</param>
    /// <param name="weights">Gets the <see cref="Address"/> of a weight file.</param>
    public static Specification Freeze(
        Specification specification,
        Func<DatasetSource, string> data,
        Func<string, string> weights)
    {
        return specification with
        {
            Target = Freeze(specification.Target),
            Sources = [.. specification.Sources.Select(FreezeSource)],
            Points = specification.Points?
                .Select(point => point with { Target = point.Target is null ? null : Freeze(point.Target) })
                .ToList(),
        };

        DatasetSource Freeze(DatasetSource source) => new(data(source));

        SourceModel FreezeSource(SourceModel source) => source with
        {
            Weights = source.Weights is null ? null : weights(source.Weights),
            Pretrain = source.Pretrain is { } pretrain ? pretrain with { Data = Freeze(pretrain.Data) } : null,
        };
    }

    /// <summary>Names a file by its content: <c>sha256:HASH/NAME</c>.</summary>
    /// <param name="path">Its file name is kept for display.</param>
    public static string Address(ReadOnlySpan<byte> content, string path) =>
        $"{ContentHash.Scheme}{ContentHash.Of(content)}/{Path.GetFileName(path)}";

    /// <summary>The SHA-256 in an address, in hexadecimal; null if the location is a path.</summary>
    public static string? HashOf(string location)
    {
        if (!location.StartsWith(ContentHash.Scheme, StringComparison.Ordinal)) return null;
        var rest = location[ContentHash.Scheme.Length..];
        var hasHash = rest.Length > HashLength && rest[HashLength] == '/';
        if (!hasHash) return null;
        var hash = rest[..HashLength];
        return hash.AsSpan().ContainsAnyExcept("0123456789abcdef") ? null : hash;
    }

    /// <summary>The SHA-256 in an address, in hexadecimal.</summary>
    /// <exception cref="InputException">The location is no address.</exception>
    public static string GetHash(string location) => HashOf(location) ?? throw new InputException(
        $"'{location}' is not named by its content: the sweep was submitted by another version of MedMerge. Submit it again.");

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

using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// Loads YAML. The library builds and compares nodes by recursion, and nobody can catch a stack that overflows: so the events, which come
/// one by one, are looked through first.
/// </summary>
internal static class YamlText
{
    private const int MaxLevels = 50; // a specification needs four

    /// <summary>The document's mapping.</summary>
    /// <exception cref="InputException">It is no YAML, too deep, or something else than one mapping.</exception>
    public static YamlMappingNode Load(string yaml, string origin)
    {
        var stream = new YamlStream();
        var parser = new Parser(new StringReader(yaml));
        try
        {
            Check(parser, origin);
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException error)
        {
            throw new InputException($"{origin} is not valid YAML: line {error.Start.Line}: {error.InnerException?.Message ?? error.Message}", error);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException) // the library's, for an impossible character or tag
        {
            throw new InputException($"{origin} is not valid YAML: line {parser.Current?.End.Line ?? 1} or the next: {error.Message}", error);
        }
        return stream.Documents is [{ RootNode: YamlMappingNode root }]
            ? root
            : throw new InputException($"{origin} must be one YAML mapping (key: value), with at least target, architecture and sources.");
    }

    private static void Check(Parser parser, string origin)
    {
        var open = new Stack<Level>();
        while (parser.MoveNext())
        {
            var node = parser.Current;
            if (node is MappingEnd or SequenceEnd) open.Pop();
            if (node is not (Scalar or AnchorAlias or MappingStart or SequenceStart)) continue;
            // Anything but a text as a key is compared by all it contains, itself included where an alias says so.
            if (open.TryPeek(out var level) && level.IsMapping && level.Nodes++ % 2 == 0 && node is not Scalar)
                throw new InputException($"{origin} has a key that is no text: line {node.Start.Line}.");
            if (node is MappingStart or SequenceStart) open.Push(new Level(node is MappingStart));
            if (open.Count > MaxLevels) throw new InputException($"{origin} is nested more than {MaxLevels} levels deep: line {node.Start.Line}.");
        }
    }

    /// <summary>A mapping or list under way; a mapping's nodes are key and value in turns.</summary>
    private sealed class Level(bool isMapping)
    {
        public bool IsMapping { get; } = isMapping;

        public int Nodes { get; set; }
    }
}

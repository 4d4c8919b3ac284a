using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// Loads YAML. YamlDotNet builds and compares nodes recursively, and a stack overflow can't be caught, so the event
/// stream is checked first.
/// </summary>
internal static class YamlText
{
    private const int MaxLevels = 50; // a specification needs four

    /// <summary>The document's mapping.</summary>
    /// <exception cref="InputException">The text is not YAML, is nested too deeply, or is not a single mapping.</exception>
    public static YamlMappingNode Load(string yaml, string origin)
    {
        var stream = new YamlStream();
        var parser = new Parser(new StringReader(yaml));
        try
        {
            CheckNesting(parser, origin);
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException error)
        {
            var reason = error.InnerException?.Message ?? error.Message;
            throw new InputException($"{origin} is not valid YAML: line {error.Start.Line}: {reason}", error);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // Thrown by YamlDotNet for an invalid character or tag.
            var line = parser.Current?.End.Line ?? 1;
            throw new InputException($"{origin} is not valid YAML: line {line} or the next: {error.Message}", error);
        }
        if (stream.Documents is [{ RootNode: YamlMappingNode root }]) return root;
        throw new InputException($"{origin} must be one YAML mapping (key: value), with at least target, architecture and sources.");
    }

    private static void CheckNesting(Parser parser, string origin)
    {
        var open = new Stack<Level>();
        while (parser.MoveNext())
        {
            var node = parser.Current;
            if (node is MappingEnd or SequenceEnd) open.Pop();
            if (node is not (Scalar or AnchorAlias or MappingStart or SequenceStart)) continue;
            // A key that is not a text is compared recursively by its content, which may contain itself through an alias.
            var isKey = open.TryPeek(out var level) && level.IsMapping && level.Nodes++ % 2 == 0;
            if (isKey && node is not Scalar)
                throw new InputException($"{origin} has a key that is no text: line {node.Start.Line}.");
            if (node is MappingStart or SequenceStart) open.Push(new Level(node is MappingStart));
            if (open.Count > MaxLevels)
                throw new InputException($"{origin} is nested more than {MaxLevels} levels deep: line {node.Start.Line}.");
        }
    }

    /// <summary>An open mapping or list; in a mapping, keys and values alternate.</summary>
    private sealed class Level(bool isMapping)
    {
        public bool IsMapping { get; } = isMapping;

        public int Nodes { get; set; }
    }
}

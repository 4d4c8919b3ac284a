using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// Loads YAML. YamlDotNet builds and compares nodes recursively, and a stack overflow can't be caught, so the event
/// stream is checked first. Its messages are replaced where they name the wrong line or none.
/// </summary>
internal static class YamlText
{
    private const int MaxLevels = 50; // a specification needs four

    /// <summary>The document's mapping.</summary>
    /// <exception cref="InputException">The text is not YAML, is nested too deeply, or is not a single mapping.</exception>
    public static YamlMappingNode Load(string yaml, string origin)
    {
        CheckCharacters(yaml, origin);
        var stream = new YamlStream();
        var parser = new Parser(new StringReader(yaml));
        var open = new Stack<Level>();
        try
        {
            CheckEvents(parser, open, origin);
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException error)
        {
            var (line, reason) = FindIndentingTab(error, parser, yaml)
                                 ?? FindUnclosed(error, open)
                                 ?? (error.Start.Line, error.InnerException?.Message ?? error.Message);
            throw new InputException($"{origin} is not valid YAML: line {line}: {reason}", error);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // Thrown by YamlDotNet for an invalid character or tag, and for a list without an end.
            var (line, reason) = FindUnclosed(error, open) ?? (parser.Current?.End.Line ?? 1, $"here or on the next line: {error.Message}");
            throw new InputException($"{origin} is not valid YAML: line {line}: {reason}", error);
        }
        if (stream.Documents is [{ RootNode: YamlMappingNode root }]) return root;
        throw new InputException($"{origin} must be one YAML mapping (key: value), with at least target, architecture and sources.");
    }

    /// <summary>YAML has no control characters but tab and line ends (1.2, section 5.1). YamlDotNet lets others pass in comments.</summary>
    private static void CheckCharacters(string yaml, string origin)
    {
        var line = 1;
        foreach (var letter in yaml)
        {
            if (letter == '\n') line++;
            if (!char.IsControl(letter) || letter is '\t' or '\n' or '\r' or '\u0085') continue;
            var name = $"U+{(int)letter:X4}";
            throw new InputException($"{origin} is not valid YAML: line {line}: it has the control character {name}; remove it");
        }
    }

    /// <summary>A tab that indents, which YAML does not allow: the parser reports it on the line before, or on the first.</summary>
    private static (long Line, string Reason)? FindIndentingTab(YamlException error, Parser parser, string yaml)
    {
        if (!error.Message.Contains("tab", StringComparison.Ordinal)) return null;
        var read = (int)(parser.Current?.End.Line ?? 1) - 1;
        var lines = yaml.Split('\n');
        var found = Array.FindIndex(lines, Math.Min(read, lines.Length), line => line[..^line.TrimStart().Length].Contains('\t'));
        return found < 0 ? null : (found + 1, "a tab stands in the indentation; YAML wants spaces");
    }

    /// <summary>A list or mapping in brackets that never ends, or ends after what can't be in it.</summary>
    private static (long Line, string Reason)? FindUnclosed(Exception error, Stack<Level> open)
    {
        if (!open.TryPeek(out var level) || !level.IsFlow) return null;
        var isUnclosed = error is InvalidOperationException || error.Message.Contains("flow", StringComparison.Ordinal);
        if (!isUnclosed) return null;
        var (kind, bracket) = level.IsMapping ? ("mapping", '}') : ("list", ']');
        return (level.Line, $"the {kind} that begins here has no '{bracket}' where it should end");
    }

    private static void CheckEvents(Parser parser, Stack<Level> open, string origin)
    {
        var anchors = new HashSet<AnchorName>();
        while (parser.MoveNext())
        {
            var node = parser.Current;
            if (node is MappingEnd or SequenceEnd) open.Pop();
            if (node is not (Scalar or AnchorAlias or MappingStart or SequenceStart)) continue;
            // A key that is not a text is compared recursively by its content, which may contain itself through an alias.
            var isKey = open.TryPeek(out var level) && level.IsMapping && level.Nodes++ % 2 == 0;
            if (isKey && node is not Scalar)
                throw new InputException($"{origin} has a key that is no text: line {node.Start.Line}.");
            if (node is NodeEvent { Anchor: { IsEmpty: false } anchor }) anchors.Add(anchor);
            if (node is AnchorAlias alias && !anchors.Contains(alias.Value))
                throw new InputException($"{origin} is not valid YAML: line {node.Start.Line}: there is no anchor '&{alias.Value}' before");
            if (node is MappingStart mapping) open.Push(new Level(true, mapping.Style == MappingStyle.Flow, node.Start.Line));
            if (node is SequenceStart list) open.Push(new Level(false, list.Style == SequenceStyle.Flow, node.Start.Line));
            if (open.Count > MaxLevels)
                throw new InputException($"{origin} is nested more than {MaxLevels} levels deep: line {node.Start.Line}.");
        }
    }

    /// <summary>An open mapping or list; in a mapping, keys and values alternate.</summary>
    private sealed class Level(bool isMapping, bool isFlow, long line)
    {
        public bool IsMapping { get; } = isMapping;

        /// <summary>Whether it stands in brackets.</summary>
        public bool IsFlow { get; } = isFlow;

        public long Line { get; } = line;

        public int Nodes { get; set; }
    }
}

using System.Text.RegularExpressions;
using MedMerge.Testing;

namespace MedMerge.Tests;

/// <summary>Holds the shape of the sources: width, length, and no files that need each other in a circle.</summary>
public partial class SourceTests
{
    private const int MaxWidth = 140, MaxLines = 400;

    private static readonly string Root = Repository.Root;

    private static IReadOnlyList<string> Files { get; } =
    [
        .. Directory.GetFiles(Root, "*.cs", SearchOption.AllDirectories)
            .Where(IsSource)
            .Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void No_line_is_wider_than_140_columns()
    {
        var wide =
            from file in Files
            from line in File.ReadLines(file).Index()
            where line.Item.Length > MaxWidth
            select $"{Path.GetRelativePath(Root, file)}:{line.Index + 1} has {line.Item.Length}";
        Assert.Empty(wide);
    }

    [Fact]
    public void No_file_is_longer_than_400_lines() =>
        Assert.DoesNotContain(Files, file => File.ReadLines(file).Count() > MaxLines);

    /// <summary>
    /// A file refers to another where it names one of its types and can see the type's namespace. Files that refer to each other in a
    /// circle can't be read or tested one after the other.
    /// </summary>
    [Fact]
    public void No_files_refer_to_each_other_in_a_circle()
    {
        var sources = Files
            .Where(file => !Path.GetRelativePath(Root, file).StartsWith("tests", StringComparison.Ordinal))
            .Select(SourceFile.Read)
            .ToList();
        var byType = sources
            .SelectMany(file => file.Types.Select(type => (Type: type, File: file)))
            .ToLookup(pair => pair.Type, pair => pair.File);
        var references = sources.ToDictionary(file => file, FindReferences);

        var circles = FindCircles(references);

        Assert.Empty(circles.Select(circle => string.Join(" ↔ ", circle.Select(file => Path.GetRelativePath(Root, file.Path)))));

        List<SourceFile> FindReferences(SourceFile file) =>
        [
            .. file.Words
                .SelectMany(word => byType[word].Where(other => other != file && file.CanSee(other, word)))
                .Distinct(),
        ];
    }

    /// <summary>The strongly connected components of more than one file (Tarjan 1972).</summary>
    private static List<List<SourceFile>> FindCircles(Dictionary<SourceFile, List<SourceFile>> references)
    {
        var order = new Dictionary<SourceFile, int>();
        var lowest = new Dictionary<SourceFile, int>();
        var open = new Stack<SourceFile>();
        var circles = new List<List<SourceFile>>();
        foreach (var file in references.Keys)
        {
            if (!order.ContainsKey(file)) Visit(file);
        }
        return circles;

        void Visit(SourceFile file)
        {
            order[file] = lowest[file] = order.Count;
            open.Push(file);
            foreach (var other in references[file])
            {
                if (!order.ContainsKey(other)) Visit(other);
                if (open.Contains(other)) lowest[file] = Math.Min(lowest[file], lowest[other]);
            }
            if (lowest[file] != order[file]) return;
            var circle = new List<SourceFile>();
            do circle.Add(open.Peek());
            while (open.Pop() != file);
            if (circle.Count > 1) circles.Add(circle);
        }
    }

    private static bool IsSource(string file)
    {
        var folders = Path.GetRelativePath(Root, file).Split(Path.DirectorySeparatorChar);
        return !folders.Any(folder => folder is "bin" or "obj" or "node_modules");
    }

    /// <summary>What a source file declares and names.</summary>
    private sealed partial class SourceFile
    {
        private readonly string _text;

        private SourceFile(string path)
        {
            Path = path;
            _text = NotCode().Replace(File.ReadAllText(path), " ");
            Namespace = NamespaceLine().Match(_text).Groups[1].Value;
            Usings = [.. UsingLine().Matches(_text).Select(match => match.Groups[1].Value)];
            Types = [.. Declaration().Matches(_text).Select(match => match.Groups[1].Value)];
            Words = [.. Word().Matches(UsingLine().Replace(_text, " ")).Select(match => match.Value)];
        }

        public string Path { get; }

        public string Namespace { get; }

        public HashSet<string> Usings { get; }

        public HashSet<string> Types { get; }

        public HashSet<string> Words { get; }

        public static SourceFile Read(string path) => new(path);

        /// <summary>Whether a type of another file can be meant by its name here.</summary>
        public bool CanSee(SourceFile other, string type)
        {
            if (other.Namespace == Namespace || Usings.Contains(other.Namespace)) return true;
            if (Namespace.StartsWith(other.Namespace + ".", StringComparison.Ordinal)) return true;
            var last = other.Namespace[(other.Namespace.LastIndexOf('.') + 1)..];
            return _text.Contains($"{last}.{type}", StringComparison.Ordinal);
        }

        /// <summary>Comments and texts.</summary>
        [GeneratedRegex("""//.*|"{3}[\s\S]*?"{3}|"(?:[^"\\\n]|\\.)*["]""")]
        private static partial Regex NotCode();

        [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
        private static partial Regex NamespaceLine();

        [GeneratedRegex(@"^using (?:static )?([\w.]+);", RegexOptions.Multiline)]
        private static partial Regex UsingLine();

        /// <summary>Only of types that stand at the left margin: those within others can be named through them alone.</summary>
        [GeneratedRegex(
            @"^(?:public|internal)\b[\w ]*?\b(?:record struct|class|record|struct|interface|enum|delegate [\w<>\[\]?]+) (\w+)",
            RegexOptions.Multiline)]
        private static partial Regex Declaration();

        [GeneratedRegex(@"\b[A-Z]\w+\b")]
        private static partial Regex Word();
    }
}

using System.Text.RegularExpressions;
using MedMerge.Testing;

namespace MedMerge.Infra.Tests;

/// <summary>What the documentation names exists.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] Folders = ["docs", "bench", "infra"];

    private static readonly string[] Sources = ["src", "tests", "MedMerge.AppHost", "MedMerge.ServiceDefaults"];

    /// <summary>Members that pages name without their type.</summary>
    private static readonly string[] Members = ["ByName", "Forward", "KeyAliases", "Settings"];

    /// <summary>By their paths from the repository's root.</summary>
    public static TheoryData<string> Pages =>
    [
        .. Directory.GetFiles(Repository.Root, "*.md")
            .Concat(Folders.SelectMany(folder => Files(folder, "*.md")))
            .Select(path => Path.GetRelativePath(Repository.Root, path)),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var text = Repository.Read(page);
        var links = Link().Matches(Code().Replace(text, ""))
            .Select(match => match.Groups[1].Value)
            .Where(link => !link.Contains("://", StringComparison.Ordinal));

        Assert.DoesNotContain(links, link => !Exists(page, link));
    }

    [Theory]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("docs/glossary.md")]
    [InlineData("docs/architecture.md")]
    public void Files_and_types_that_a_newcomer_looks_for_exist(string page)
    {
        var code = Sources.SelectMany(folder => Files(folder, "*.cs")).ToList();
        var types = code.SelectMany(file => TypeDeclaration().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value);
        var folders = code.Select(file => Path.GetFileName(Path.GetDirectoryName(file)!));
        var known = types.Concat(folders).Concat(Members).ToHashSet(StringComparer.Ordinal);
        var text = Fence().Replace(Repository.Read(page), "");

        var paths = SourcePath().Matches(text).Select(match => Repository.PathTo(match.Groups[1].Value));
        var names = TypeName().Matches(text).Select(match => match.Groups[1].Value);

        Assert.DoesNotContain(paths, path => !File.Exists(path) && !Directory.Exists(path));
        Assert.DoesNotContain(names, name => !known.Contains(name));
    }

    private static bool Exists(string page, string link)
    {
        var parts = link.Split('#');
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        var path = parts[0].Length == 0 ? Path.Combine(Repository.Root, page) : Path.GetFullPath(Path.Combine(folder, parts[0]));
        if (parts.Length == 1) return File.Exists(path) || Directory.Exists(path);
        return File.Exists(path) && Heading().Matches(File.ReadAllText(path)).Any(match => Anchor(match.Groups[1].Value) == parts[1]);
    }

    /// <summary>GitHub's: lower case, spaces to hyphens, punctuation left out.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.GetFiles(Path.Combine(Repository.Root, folder), pattern, SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules"));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```|`[^`\n]*`", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"`((?:src|tests|docs|examples|bench|infra)/[\w./-]+?)/?`")]
    private static partial Regex SourcePath();

    /// <summary>A name in Pascal case, alone, behind a folder or before a member: <c>Merging/Certificate</c>, <c>Stage.Key</c>.</summary>
    [GeneratedRegex(@"`(?:[A-Z]\w*/)*([A-Z][a-z][A-Za-z0-9]*)(?:\.[A-Z]\w*)?/?`")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\b(?:class|record|interface|struct|enum|delegate \w+)\s+(?:struct\s+)?(\w+)")]
    private static partial Regex TypeDeclaration();
}

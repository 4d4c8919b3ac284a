using MedMerge.Experiments.Specifications;
using MedMerge.Reporting;
using MedMerge.Testing;

namespace MedMerge.Tests;

/// <summary>
/// Files of the repository that are written by the code. With <c>MEDMERGE_WRITE_GENERATED=1</c> the tests write them; otherwise they
/// compare.
/// </summary>
public class GeneratedFileTests
{
    private const string Begin = "<!-- settings: written by GeneratedFileTests -->\n", End = "<!-- end of settings -->";

    private static bool IsWriting => Environment.GetEnvironmentVariable("MEDMERGE_WRITE_GENERATED") == "1";

    [Fact]
    public void The_schema_is_that_of_the_table_of_settings() =>
        Check("examples/specification.schema.json", _ => SpecificationSchema.Write());

    [Fact]
    public void The_documentation_lists_the_settings_of_the_table() => Check("docs/specification.md", text =>
    {
        var begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, "The page has lost the marks that enclose the table.");
        return text[..begin] + "\n" + SettingsText.RenderDocumentation() + "\n" + text[end..];
    });

    private static void Check(string name, Func<string, string> write)
    {
        var path = Repository.PathTo(name);
        var text = File.ReadAllText(path);
        var wanted = write(text);
        if (IsWriting) File.WriteAllText(path, wanted);
        else Assert.True(wanted == text, $"{name} is not what the code writes: run these tests with MEDMERGE_WRITE_GENERATED=1.");
    }
}

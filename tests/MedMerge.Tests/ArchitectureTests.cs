using System.Text.RegularExpressions;
using MedMerge.Testing;

namespace MedMerge.Tests;

/// <summary>Holds the arrows of docs/architecture.md by reading the sources: which folder's namespace a file uses.</summary>
public partial class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Telemetry"] = [],
        ["Tensors"] = ["Telemetry"],
        ["Statistics"] = [],
        ["Data"] = ["Tensors"],
        ["Models"] = ["Tensors", "Data"],
        ["Merging"] = ["Tensors", "Data", "Models"],
        ["Training"] = ["Telemetry", "Tensors", "Data", "Models", "Merging", "Statistics"],
        ["Experiments"] = ["Telemetry", "Tensors", "Data", "Models", "Merging", "Training", "Statistics"],
        ["Reporting"] = ["Tensors", "Data", "Models", "Merging", "Training", "Statistics", "Experiments"],
    };

    private static string Source => Repository.PathTo("src");

    [Fact]
    public void Arrows_inside_the_library_point_down_only()
    {
        var wrong = new List<string>();
        foreach (var folder in Directory.GetDirectories(Path.Combine(Source, "MedMerge")))
        {
            var name = Path.GetFileName(folder);
            if (name is "bin" or "obj") continue;
            Assert.True(Allowed.ContainsKey(name), $"src/MedMerge/{name} is a new folder: give it its arrows here.");
            foreach (var file in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories))
            {
                wrong.AddRange(References().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)
                    .Where(used => used != name && Allowed.ContainsKey(used) && !Allowed[name].Contains(used))
                    .Select(used => $"{Path.GetRelativePath(Source, file)} uses {used}"));
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("MedMerge", "")]
    [InlineData("MedMerge.Storage", "MedMerge MedMerge.Grains.Abstractions")]
    [InlineData("MedMerge.Grains.Abstractions", "")]
    [InlineData("MedMerge.Grains", "MedMerge.Grains.Abstractions MedMerge.Storage")]
    [InlineData("MedMerge.Clustering", "MedMerge.Grains.Abstractions MedMerge.Storage")]
    [InlineData("MedMerge.Silo", "MedMerge.Clustering MedMerge.Grains MedMerge.ServiceDefaults")]
    [InlineData("MedMerge.Gateway", "MedMerge.Clustering MedMerge.Grains.Abstractions MedMerge.ServiceDefaults MedMerge.Storage")]
    [InlineData("../MedMerge.ServiceDefaults", "MedMerge MedMerge.Grains.Abstractions")]
    [InlineData("../MedMerge.AppHost", "MedMerge.Cli MedMerge.Gateway MedMerge.Grains.Abstractions MedMerge.Silo")]
    [InlineData("MedMerge.Cli", "MedMerge MedMerge.Grains MedMerge.ServiceDefaults MedMerge.Storage")]
    public void Projects_refer_down_only(string project, string allowed)
    {
        var text = File.ReadAllText(Path.Combine(Source, project, Path.GetFileName(project) + ".csproj"));
        var used = ProjectReferences().Matches(text).Select(match => match.Groups[1].Value);
        Assert.Equal(allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries), used.Order());
    }

    [Fact]
    public void The_method_knows_no_cluster_no_cloud_and_no_web()
    {
        var text = File.ReadAllText(Path.Combine(Source, "MedMerge", "MedMerge.csproj"));
        Assert.DoesNotContain("Orleans", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Azure", text, StringComparison.Ordinal);
        Assert.DoesNotContain("AspNetCore", text, StringComparison.Ordinal);
    }

    [GeneratedRegex(
        @"\bMedMerge\.(Telemetry|Tensors|Statistics|Data|Models|Merging|Training|Experiments|Reporting)\b|^using MedMerge\.(\w+)",
        RegexOptions.Multiline)]
    private static partial Regex References();

    [GeneratedRegex(@"<ProjectReference Include=""[^""]*[\\/]([\w.]+)\.csproj""")]
    private static partial Regex ProjectReferences();
}

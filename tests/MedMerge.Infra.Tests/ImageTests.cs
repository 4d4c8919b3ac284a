using System.Text.RegularExpressions;
using MedMerge.Testing;

namespace MedMerge.Infra.Tests;

/// <summary>The Dockerfiles build what is there, and run it as the manifests expect.</summary>
public sealed partial class ImageTests
{
    [Theory]
    [InlineData("silo", "MedMerge.Silo")]
    [InlineData("gateway", "MedMerge.Gateway")]
    public void An_image_restores_its_projects_and_runs_the_last(string image, string project)
    {
        var lines = Repository.Read($"infra/images/{image}.Dockerfile").Split('\n');
        var copied = lines.Select(line => CopiedProject().Match(line)).Where(match => match.Success).ToList();
        Assert.All(copied, match =>
            Assert.Equal(Path.GetDirectoryName(match.Groups[1].Value)!.Replace('\\', '/') + "/", match.Groups[2].Value));
        var projects = copied.Select(match => match.Groups[1].Value);
        Assert.Equal(Closure($"src/{project}/{project}.csproj").Order(StringComparer.Ordinal), projects.Order(StringComparer.Ordinal));
        Assert.Contains(lines, line => line.StartsWith($"RUN dotnet restore src/{project}", StringComparison.Ordinal));
        var publish = $"RUN dotnet publish src/{project} -c Release --no-restore";
        Assert.Contains(lines, line => line.StartsWith(publish, StringComparison.Ordinal));
        Assert.Contains($"ENTRYPOINT [\"dotnet\", \"{project}.dll\"]", lines);
        Assert.DoesNotContain("AssemblyName", Repository.Read($"src/{project}/{project}.csproj"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public void What_is_copied_exists_and_is_let_into_the_context(string image)
    {
        var allowed = Repository.Read(".dockerignore").Split('\n').Where(line => line.StartsWith('!'))
            .Select(line => new Regex($"^{Regex.Escape(line[1..]).Replace(@"\*", "[^/]*", StringComparison.Ordinal)}$")).ToList();
        var sources = Repository.Read($"infra/images/{image}.Dockerfile").Split('\n')
            .Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ')[1..^1]).Where(source => source != ".");
        foreach (var source in sources)
        {
            Assert.True(Path.Exists(Repository.PathTo(source)), source);
            Assert.Contains(allowed, pattern => pattern.IsMatch(source.Split('/')[0]));
        }
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public void An_image_is_not_root_and_opens_its_pods_ports(string image)
    {
        var lines = Repository.Read($"infra/images/{image}.Dockerfile").Split('\n');
        var lastRun = Array.FindLastIndex(lines, line => line.StartsWith("RUN ", StringComparison.Ordinal));
        Assert.True(Array.IndexOf(lines, "USER $APP_UID") > lastRun);
        var ports = lines.Single(line => line.StartsWith("EXPOSE ", StringComparison.Ordinal)).Split(' ')[1..]
            .Order(StringComparer.Ordinal);
        Assert.All(Workload.Ours.Where(workload => workload.Name.StartsWith(image, StringComparison.Ordinal)), workload =>
        {
            Assert.Equal(workload.Ports.Select(port => $"{port.ContainerPort}").Order(StringComparer.Ordinal), ports);
            Assert.Equal(1654, workload.Template.Spec.SecurityContext.RunAsUser); // APP_UID of .NET's images
        });
        var version = Regex.Match(Repository.Read("Directory.Build.props"), @"<TargetFramework>net([\d.]+)<").Groups[1].Value;
        var bases = lines
            .Where(line => line.StartsWith("FROM ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[1].Split('/')[^1]);
        Assert.Equal([$"sdk:{version}", $"aspnet:{version}"], bases);
    }

    [Fact]
    public void The_readme_builds_every_image_that_is_deployed()
    {
        var readme = Repository.Read("infra/README.md");
        Assert.All(Workload.Ours, workload => Assert.Contains($"/{workload.Container.Image}:", readme, StringComparison.Ordinal));
    }

    /// <summary>A project and all that it refers to, directly or not.</summary>
    private static HashSet<string> Closure(string project)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([project]);
        while (open.TryDequeue(out var next))
        {
            if (!found.Add(next)) continue;
            foreach (Match reference in ProjectReference().Matches(Repository.Read(next)))
            {
                var relative = reference.Groups[1].Value.Replace('\\', '/');
                var full = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(next)!, relative));
                open.Enqueue(Path.GetRelativePath(Repository.Root, full).Replace('\\', '/'));
            }
        }
        return found;
    }

    [GeneratedRegex(@"^COPY (\S+\.csproj) (\S+)$")]
    private static partial Regex CopiedProject();

    [GeneratedRegex("<ProjectReference Include=\"([^\"]+)\"")]
    private static partial Regex ProjectReference();
}

namespace MedMerge.Testing;

/// <summary>The files that the tests are about: they are read where they lie.</summary>
public static class Repository
{
    /// <summary>The folder with the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below <see cref="Root"/>.</summary>
    public static string PathTo(string relative) => Path.Combine([Root, .. relative.Split('/')]);

    /// <summary>A file's text.</summary>
    public static string Read(string relative) => File.ReadAllText(PathTo(relative));

    /// <summary>All code of projects, wherever they lie; those that are not there have none.</summary>
    public static string Code(params string[] projects) => string.Concat(projects
        .SelectMany(project => new[] { $"src/{project}", project })
        .Select(PathTo)
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.GetFiles(folder, "*.cs*", SearchOption.AllDirectories))
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .Select(File.ReadAllText));

    /// <summary>
    /// A program of ours, from its own output folder: the copy beside the tests lacks what their frameworks bring along.
    /// </summary>
    public static string Program(string project)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/bin/CONFIGURATION/FRAMEWORK
        var folder = project.Contains("Faulty", StringComparison.Ordinal) ? "tests" : "src";
        return Path.Combine(Root, folder, project, "bin", output.Parent!.Name, output.Name, project + ".dll");
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "MedMerge.Distributed.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}

using System.Text;
using System.Text.Json;
using MedMerge.Experiments.Methods;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>A folder that results are written to, each file atomically.</summary>
internal sealed class OutputFolder
{
    private const string Results = "results.json";
    private readonly string _path;

    /// <param name="path">Created if missing, and checked before anything is computed.</param>
    /// <exception cref="InputException">The folder can't be written to.</exception>
    public OutputFolder(string path)
    {
        _path = path;
        CheckText(path);
        try
        {
            AtomicFile.TryFolder(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"The output folder '{path}' can't be written to: {error.Message}", error);
        }
    }

    /// <summary>Checks that the model folders hold nothing but an earlier run's files, and none that this run reads.</summary>
    /// <param name="scenarios">The run's scenarios with their folders.</param>
    /// <param name="inputs">The files that the run reads.</param>
    /// <param name="methods">The methods whose files it writes.</param>
    /// <exception cref="InputException">A folder holds other files, which would be lost or mixed with the run's.</exception>
    public void CheckModelFolders(
        IEnumerable<ScenarioFolder> scenarios,
        IReadOnlyCollection<string> inputs,
        IReadOnlyCollection<string> methods)
    {
        foreach (var folder in scenarios.Select(GetPath)) CheckModelFolders(folder, inputs, methods);
    }

    /// <summary>Writes a run's results, then its models, in place of an earlier run's.</summary>
    /// <param name="scenarios">The run's scenarios with their folders.</param>
    /// <param name="getResult">Gets the text of one of <see cref="OutputFiles.Results"/> for a scenario.</param>
    /// <param name="getSweepResult">Gets the bytes of one of <see cref="OutputFiles.SweepResults"/>.</param>
    /// <param name="models">Names as in <see cref="OutputFiles.GetModels"/>.</param>
    /// <param name="readModel">Reads a model's bytes.</param>
    public async Task WriteRunAsync(
        IReadOnlyList<ScenarioFolder> scenarios,
        Func<ScenarioFolder, ResultFile, Task<string>> getResult,
        Func<SweepFile, Task<byte[]>> getSweepResult,
        IEnumerable<string> models,
        Func<string, Task<byte[]>> readModel,
        CancellationToken cancellation)
    {
        if (scenarios.All(scenario => scenario.Folder.Length > 0)) RemoveEarlierRun(_path);
        var written = new HashSet<string>();
        foreach (var scenario in scenarios)
        {
            RemoveEarlierModels(GetPath(scenario));
            foreach (var file in OutputFiles.Results)
            {
                var name = scenario.Folder + file.Name;
                var text = await getResult(scenario, file);
                await WriteAsync(name, Encoding.UTF8.GetBytes(text), cancellation);
                written.Add(name);
            }
        }
        foreach (var file in OutputFiles.SweepResults.Where(file => !written.Contains(file.Name)))
            await WriteAsync(file.Name, await getSweepResult(file), cancellation);
        foreach (var name in models) await WriteAsync(name, await readModel(name), cancellation);
    }

    /// <summary>Checks that a single output file can be written, before anything is computed.</summary>
    /// <exception cref="InputException">The path is a folder, or its folder can't be written to.</exception>
    public static void CheckFile(string path)
    {
        CheckText(path);
        if (Directory.Exists(path) || Path.GetFileName(path) is "" or "." or "..")
            throw new InputException($"The output '{path}' is a folder; name a file in it.");
        _ = new OutputFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Checks, besides, that an output file is none of the files that it is made of.</summary>
    /// <inheritdoc cref="CheckFile(string)" />
    public static void CheckFile(string path, IEnumerable<string> inputs)
    {
        CheckFile(path);
        if (inputs.FirstOrDefault(file => file.Length > 0 && Path.GetFullPath(file) == Path.GetFullPath(path)) is { } input)
            throw new InputException($"--output '{path}' is one of the files that are merged ('{input}'); name another.");
    }

    private static void CheckText(string path)
    {
        if (path.Length == 0) throw new InputException("The output has an empty path.");
        if (!path.Contains('\0', StringComparison.Ordinal)) return;
        throw new InputException($"The output's path '{path.Replace("\0", "\\0", StringComparison.Ordinal)}' holds a NUL character.");
    }

    private static void CheckModelFolders(string folder, IReadOnlyCollection<string> inputs, IReadOnlyCollection<string> methods)
    {
        var modelFolders = GetModelFolders(folder, methods);
        if (inputs.FirstOrDefault(file => modelFolders.Any(root => IsWithin(file, root))) is { } input)
            throw new InputException($"'{input}' lies where this run writes its own models. Name another folder with --output.");
        if (HoldsRun(folder)) return;
        if (modelFolders.FirstOrDefault(HoldsFiles) is { } foreign)
        {
            throw new InputException(
                $"'{foreign}' holds files, and there is no {Results} of a run beside it to show that they belong to one. " +
                "Name another folder with --output.");
        }
    }

    private static bool IsWithin(string file, string folder)
    {
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        return Path.GetFullPath(file).StartsWith(root, StringComparison.Ordinal);
    }

    private static bool HoldsFiles(string folder) => Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any();

    /// <summary>Removes a run of one scenario, whose files lie where those of several scenarios do not.</summary>
    private static void RemoveEarlierRun(string folder)
    {
        if (!HoldsRun(folder)) return;
        RemoveEarlierModels(folder);
        foreach (var file in OutputFiles.Results) File.Delete(Path.Combine(folder, file.Name));
    }

    /// <summary>Removes an earlier run's models, so that none is mistaken for this run's. Other files stay.</summary>
    private static void RemoveEarlierModels(string folder)
    {
        if (!HoldsRun(folder)) return;
        var modelFolders = GetModelFolders(folder, MethodRegistry.Names);
        var seeds = modelFolders
            .Where(Directory.Exists)
            .SelectMany(modelFolder => Directory.GetDirectories(modelFolder, OutputFiles.SeedPrefix + "*"))
            .ToList();
        var files = seeds.SelectMany(seed => OutputFiles.SeedFiles.Select(name => Path.Combine(seed, name)));
        foreach (var file in files.Concat(GetEarlierSources(folder))) File.Delete(file);
        foreach (var empty in seeds.Concat(modelFolders).Where(IsEmptyFolder)) Directory.Delete(empty);
    }

    private static bool IsEmptyFolder(string folder) => Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any();

    /// <summary>The source files of an earlier run, by the titles in its results: <c>NAME (ORIGIN)</c>.</summary>
    private static IEnumerable<string> GetEarlierSources(string folder)
    {
        var sourcesFolder = Path.Combine(folder, OutputFiles.SourcesFolder);
        if (!Directory.Exists(sourcesFolder)) return [];
        using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, Results)));
        var hasSources = results.RootElement.TryGetProperty("sources", out var sources) && sources.ValueKind == JsonValueKind.Array;
        if (!hasSources) return [];
        var names = sources.EnumerateArray().Select(source => source.GetString()!.Split(' ')[0]);
        return [.. names.Select(name => Path.Combine(sourcesFolder, $"{name}.safetensors")).Where(File.Exists)];
    }

    /// <summary>The folders that there are of a scenario's sources and methods.</summary>
    private static List<string> GetModelFolders(string folder, IReadOnlyCollection<string> methods)
    {
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateDirectories(folder).Where(IsModelFolder)];

        bool IsModelFolder(string path)
        {
            var name = Path.GetFileName(path);
            return name == OutputFiles.SourcesFolder || (OutputFiles.FindMethod(name) is { } method && methods.Contains(method));
        }
    }

    /// <summary>Whether a folder holds a run's results, as <see cref="ResultFiles"/> writes them.</summary>
    private static bool HoldsRun(string folder)
    {
        try
        {
            using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, Results)));
            string[] keys = ["schema", "architecture", "anchor", "methods", "trials"];
            var root = results.RootElement;
            return root.ValueKind == JsonValueKind.Object && keys.All(key => root.TryGetProperty(key, out _));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    private string GetPath(ScenarioFolder scenario) => Path.Combine(_path, scenario.Folder);

    private Task WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        AtomicFile.WriteAsync(Path.Combine(_path, name), content, overwrite: true, cancellation);
}

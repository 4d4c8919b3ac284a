using System.Text;
using System.Text.Json;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>A folder that results are written to, each file whole or not at all.</summary>
internal sealed class OutputFolder
{
    private const string Results = "results.json";
    private readonly string _path;

    /// <param name="path">Made where it is missing; tried before anything is computed.</param>
    /// <exception cref="InputException">It can't be written to.</exception>
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

    /// <summary>Makes sure that the places of a run's models hold an earlier run's or nothing, and none of the files that this one reads.</summary>
    /// <param name="scenarios">The run's, each with its folder.</param>
    /// <param name="inputs">The files that the run reads.</param>
    /// <exception cref="InputException">They hold something else, which would be mixed with a run's files or lost.</exception>
    public void CheckModelPlaces(IEnumerable<ScenarioFolder> scenarios, IReadOnlyCollection<string> inputs)
    {
        foreach (var folder in scenarios.Select(PathOf)) CheckModelPlaces(folder, inputs);
    }

    /// <summary>Writes a run's results, then its models; those of an earlier run are removed.</summary>
    /// <param name="scenarios">The run's, each with its folder.</param>
    /// <param name="result">Gives a file of <see cref="OutputFiles.Results"/> for a scenario.</param>
    /// <param name="models">Names as in <see cref="OutputFiles.GetModels"/>.</param>
    /// <param name="read">Gives a model's bytes.</param>
    public async Task WriteRunAsync(
        IReadOnlyList<ScenarioFolder> scenarios,
        Func<ScenarioFolder, ResultFile, Task<string>> result,
        IEnumerable<string> models,
        Func<string, Task<byte[]>> read,
        CancellationToken cancellation)
    {
        foreach (var scenario in scenarios)
        {
            RemoveEarlierModels(PathOf(scenario));
            foreach (var file in OutputFiles.Results)
            {
                var text = await result(scenario, file);
                await WriteAsync(scenario.Folder + file.Name, Encoding.UTF8.GetBytes(text), cancellation);
            }
        }
        foreach (var name in models) await WriteAsync(name, await read(name), cancellation);
    }

    /// <summary>Tries a single file's place before anything is computed.</summary>
    /// <exception cref="InputException">It is a folder, or its folder can't be written to.</exception>
    public static void CheckFile(string path)
    {
        CheckText(path);
        if (Directory.Exists(path) || Path.GetFileName(path) is "" or "." or "..")
            throw new InputException($"The output '{path}' is a folder; name a file in it.");
        _ = new OutputFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void CheckText(string path)
    {
        if (path.Length == 0) throw new InputException("The output has an empty path.");
        if (!path.Contains('\0', StringComparison.Ordinal)) return;
        throw new InputException($"The output's path '{path.Replace("\0", "\\0", StringComparison.Ordinal)}' holds a NUL character.");
    }

    private static void CheckModelPlaces(string folder, IReadOnlyCollection<string> inputs)
    {
        var places = GetModelFolders(folder);
        string[] roots = [.. places.Select(place => Path.GetFullPath(place) + Path.DirectorySeparatorChar)];
        if (inputs.FirstOrDefault(file => roots.Any(root => Path.GetFullPath(file).StartsWith(root, StringComparison.Ordinal))) is { } input)
            throw new InputException($"'{input}' lies where this run writes its own models. Name another folder with --output.");
        if (HoldsRun(folder)) return;
        if (places.FirstOrDefault(place => Directory.Exists(place) && Directory.EnumerateFileSystemEntries(place).Any()) is not { } foreign) return;
        throw new InputException(
            $"'{foreign}' holds files, and no {Results} of a run beside it says that they are a run's. Name another folder with --output.");
    }

    /// <summary>Removes the models that an earlier run wrote, so that none is taken for this run's. What no run writes stays.</summary>
    private static void RemoveEarlierModels(string folder)
    {
        if (!HoldsRun(folder)) return;
        var places = GetModelFolders(folder);
        var seeds = places.Where(Directory.Exists).SelectMany(place => Directory.GetDirectories(place, OutputFiles.SeedPrefix + "*")).ToList();
        var files = seeds.SelectMany(seed => OutputFiles.SeedFiles.Select(name => Path.Combine(seed, name)));
        foreach (var file in files.Concat(GetEarlierSources(folder))) File.Delete(file);
        foreach (var empty in seeds.Concat(places).Where(IsEmptyFolder)) Directory.Delete(empty);
    }

    private static bool IsEmptyFolder(string folder) => Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any();

    /// <summary>Of the names in the earlier run's results: <c>NAME (where it comes from)</c>.</summary>
    private static IEnumerable<string> GetEarlierSources(string folder)
    {
        var place = Path.Combine(folder, OutputFiles.SourcesFolder);
        if (!Directory.Exists(place)) return [];
        using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, Results)));
        if (!results.RootElement.TryGetProperty("sources", out var sources) || sources.ValueKind != JsonValueKind.Array) return [];
        return
        [
            .. sources.EnumerateArray()
                .Select(source => Path.Combine(place, $"{source.GetString()!.Split(' ')[0]}.safetensors"))
                .Where(File.Exists),
        ];
    }

    /// <summary>Where a scenario's models and sources lie.</summary>
    private static string[] GetModelFolders(string folder) =>
        [.. OutputFiles.ModelFolders.Append(OutputFiles.SourcesFolder).Select(name => Path.Combine(folder, name))];

    /// <summary>Whether a folder holds a run's results: the JSON that <see cref="ResultFiles"/> writes.</summary>
    private static bool HoldsRun(string folder)
    {
        try
        {
            using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, Results)));
            string[] ours = ["schema", "architecture", "anchor", "methods", "trials"];
            return results.RootElement.ValueKind == JsonValueKind.Object && ours.All(key => results.RootElement.TryGetProperty(key, out _));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    private string PathOf(ScenarioFolder scenario) => Path.Combine(_path, scenario.Folder);

    private Task WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        AtomicFile.WriteAsync(Path.Combine(_path, name), content, overwrite: true, cancellation);
}

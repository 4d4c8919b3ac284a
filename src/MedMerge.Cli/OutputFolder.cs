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
    /// <param name="inputs">Those files.</param>
    /// <exception cref="InputException">They hold something else, which would be mixed with a run's files or lost.</exception>
    public void CheckModelPlaces(IEnumerable<string> inputs)
    {
        string[] places = [.. new[] { Merged, Sources }.Select(folder => Path.GetFullPath(folder) + Path.DirectorySeparatorChar)];
        if (inputs.FirstOrDefault(file => places.Any(place => Path.GetFullPath(file).StartsWith(place, StringComparison.Ordinal))) is { } input)
            throw new InputException($"'{input}' lies where this run writes its own models. Name another folder with --output.");
        if (!HoldsRun() && new[] { Merged, Sources }.FirstOrDefault(folder => Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) is { } foreign)
            throw new InputException($"'{foreign}' holds files, and no {Results} of a run beside it says that they are a run's. Name another folder with --output.");
    }

    /// <summary>Removes the models that an earlier run wrote, so that none is taken for this run's. What no run writes stays.</summary>
    private void RemoveEarlierModels()
    {
        if (!HoldsRun()) return;
        var seeds = Directory.Exists(Merged) ? Directory.GetDirectories(Merged, "seed-*") : [];
        foreach (var file in seeds.SelectMany(seed => OutputFiles.SeedFiles.Select(name => Path.Combine(seed, name))).Concat(EarlierSources())) File.Delete(file);
        foreach (var folder in seeds.Append(Merged).Append(Sources).Where(folder => Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())) Directory.Delete(folder);
    }

    /// <summary>Of the names that the earlier run's results tell: <c>NAME (where it comes from)</c>.</summary>
    private IEnumerable<string> EarlierSources()
    {
        if (!Directory.Exists(Sources)) return [];
        using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_path, Results)));
        return results.RootElement.TryGetProperty("sources", out var sources) && sources.ValueKind == JsonValueKind.Array
            ? [.. sources.EnumerateArray().Select(source => Path.Combine(Sources, $"{source.GetString()!.Split(' ')[0]}.safetensors")).Where(File.Exists)]
            : [];
    }

    /// <summary>Writes a run's results, then its models; those of an earlier run are removed.</summary>
    /// <param name="result">Gives a file of <see cref="OutputFiles.Results"/>.</param>
    /// <param name="models">Names as in <see cref="OutputFiles.Models"/>.</param>
    /// <param name="read">Gives a model's bytes.</param>
    public async Task WriteRunAsync(
        Func<ResultFile, Task<string>> result, IEnumerable<string> models, Func<string, Task<byte[]>> read, CancellationToken cancellation)
    {
        RemoveEarlierModels();
        foreach (var file in OutputFiles.Results)
            await WriteAsync(file.Name, Encoding.UTF8.GetBytes(await result(file).ConfigureAwait(false)), cancellation).ConfigureAwait(false);
        foreach (var name in models) await WriteAsync(name, await read(name).ConfigureAwait(false), cancellation).ConfigureAwait(false);
    }

    private Task WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        AtomicFile.WriteAsync(Path.Combine(_path, name), content, overwrite: true, cancellation);

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
        if (path.Contains('\0', StringComparison.Ordinal)) throw new InputException($"The output's path '{path.Replace("\0", "\\0", StringComparison.Ordinal)}' holds a NUL character.");
    }

    private string Merged => Path.Combine(_path, "medmerge");

    private string Sources => Path.Combine(_path, "sources");

    /// <summary>Whether there are a run's results: the JSON that <see cref="Reporting.ResultFiles"/> writes.</summary>
    private bool HoldsRun()
    {
        try
        {
            using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_path, Results)));
            string[] ours = ["schema", "architecture", "anchor", "methods", "trials"];
            return results.RootElement.ValueKind == JsonValueKind.Object && ours.All(key => results.RootElement.TryGetProperty(key, out _));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }
}

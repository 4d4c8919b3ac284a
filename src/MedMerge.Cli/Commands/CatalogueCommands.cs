using System.CommandLine;
using MedMerge.Cli.Downloads;
using MedMerge.Data.Catalogue;
using MedMerge.Experiments.Specifications;
using MedMerge.Reporting;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge data list|get|verify</c>: public data sets and weights.</summary>
/// <param name="entries">The catalogue; the public one where null.</param>
/// <param name="options">How patient downloads are.</param>
internal sealed class CatalogueCommands(
    TextWriter output,
    TextWriter error,
    IReadOnlyList<CatalogueEntry>? entries = null,
    DownloadOptions? options = null,
    TimeProvider? clock = null)
{
    private const string FolderVariable = "MEDMERGE_DATA";
    private const string DefaultFolder = "data";
    private const int DefaultSize = 28;
    private readonly IReadOnlyList<CatalogueEntry> _entries = entries ?? PublicCatalogue.Entries;

    public Command CreateList()
    {
        var folder = Folder();
        var command = new Command("list", "Lists public data sets and weights that `data get` gets.") { folder };
        command.SetAction(async (parsed, _) =>
        {
            await output.WriteAsync(CatalogueTable.Render(_entries, parsed.GetValue(folder)!));
            return ExitCodes.Done;
        });
        return command;
    }

    public Command CreateGet()
    {
        var names = new Argument<string[]>("name")
        {
            Description = "Data sets and weights, as `data list` names them.",
            HelpName = "NAME",
            Arity = ArgumentArity.OneOrMore,
        };
        var size = new Option<int?>("--size")
        {
            Description = $"Height and width of a data set's images: 28, 64, 128 or 224. Default: {DefaultSize}.",
            HelpName = "PIXELS",
        };
        var folder = Folder();
        var isForced = new Option<bool>("--force") { Description = "Replace a file that has another hash than the catalogue's." };
        var command = new Command("get", "Gets public data sets and weights, and checks their hashes; what broke off is resumed.")
        {
            names,
            size,
            folder,
            isForced,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var chosen = parsed.GetValue(names)!.Distinct().Select(name => Find(name, parsed.GetValue(size))).ToList();
            var root = parsed.GetValue(folder)!;
            var missing = new List<(CatalogueEntry Entry, CatalogueFile File)>();
            foreach (var (entry, file) in chosen)
            {
                var isThere = await IsThereAsync(file, root, parsed.GetValue(isForced), cancellation);
                if (isThere) await DescribeAsync("is there already", file, root);
                else missing.Add((entry, file));
            }
            return await GetAsync(missing, root, cancellation);
        });
        return command;
    }

    public Command CreateVerify()
    {
        var folder = Folder();
        var command = new Command("verify", "Checks the hashes of the catalogue's files in a folder; exit code 1 if one differs.")
        {
            folder,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var root = parsed.GetValue(folder)!;
            if (!Directory.Exists(root)) throw new InputException($"There is no folder '{root}'.");
            var files = _entries.SelectMany(entry => entry.Files).Where(file => File.Exists(GetPath(file, root))).ToList();
            var differing = 0;
            foreach (var file in files)
            {
                var digits = await HashAsync(file, root, cancellation);
                var isIntact = file.Hash.Matches(digits);
                if (!isIntact) differing++;
                await output.WriteLineAsync(isIntact ? $"intact: {file.Path}" : $"differs: {file.Path}: {Compare(file, digits)}");
            }
            var count = files.Count == 1 ? "1 file" : $"{files.Count} files";
            var others = differing == 0 ? "none" : $"{differing}";
            await output.WriteLineAsync($"{count} of the catalogue in '{root}', {others} with another hash.");
            return differing == 0 ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static Option<string> Folder() => new("--folder")
    {
        Description = $"The folder of data. Default: {FolderVariable} if set, otherwise {DefaultFolder}.",
        HelpName = "DIR",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder ? folder : DefaultFolder,
    };

    private (CatalogueEntry Entry, CatalogueFile File) Find(string name, int? size)
    {
        if (_entries.FirstOrDefault(entry => entry.Name == name) is not { } entry)
        {
            var suggestion = SpellingSuggestion.Suggest(name, _entries.Select(known => known.Name)) is { Length: > 0 } near ? near : ".";
            throw new InputException($"There is no '{name}' in the catalogue{suggestion} `medmerge data list` lists what there is.");
        }
        if (entry.IsWeights) return (entry, entry.Files[0]);
        if (entry.Files.FirstOrDefault(file => file.ImageSize == (size ?? DefaultSize)) is { } found) return (entry, found);
        var sizes = string.Join(", ", entry.Files.Select(file => file.ImageSize));
        throw new InputException($"--size {size}: {name} has the sizes {sizes}.");
    }

    /// <summary>Whether a file is there with the catalogue's hash.</summary>
    /// <exception cref="InputException">It has another hash, and is not to be replaced.</exception>
    private static async Task<bool> IsThereAsync(CatalogueFile file, string root, bool isForced, CancellationToken cancellation)
    {
        var path = GetPath(file, root);
        if (!File.Exists(path)) return false;
        var digits = await HashAsync(file, root, cancellation);
        if (file.Hash.Matches(digits)) return true;
        if (isForced) return false;
        throw new InputException($"'{path}' is another file than the catalogue's: {Compare(file, digits)}. --force replaces it.");
    }

    private async Task<int> GetAsync(
        IReadOnlyList<(CatalogueEntry Entry, CatalogueFile File)> files,
        string root,
        CancellationToken cancellation)
    {
        foreach (var (_, file) in files) OutputFolder.CheckFile(GetPath(file, root));
        using var downloader = new Downloader(options, clock);
        foreach (var (entry, file) in files)
        {
            var path = GetPath(file, root);
            var line = CommonOptions.CreateProgressLine(error);
            try
            {
                await downloader.GetAsync(file, path, (bytes, total) => line.ShowTransfer(file.Path, bytes, total), Report, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                line.End();
                var partial = PartialFile.GetPath(path);
                var kept = File.Exists(partial) ? $" '{partial}' keeps what came; the same command resumes from there." : "";
                await error.WriteLineAsync($"Interrupted.{kept}");
                return ExitCodes.Interrupted;
            }
            finally
            {
                line.End();
            }
            await DescribeAsync("was downloaded", file, root);
            await output.WriteLineAsync($"    Licence: {entry.Licence}. Credit: {entry.Credit}.");
            foreach (var text in DescribeUse(entry, file, root)) await output.WriteLineAsync($"    {text}");

            void Report(string notice)
            {
                line.End();
                error.WriteLine(notice);
            }
        }
        return ExitCodes.Done;
    }

    private Task DescribeAsync(string state, CatalogueFile file, string root)
    {
        var path = GetPath(file, root);
        return output.WriteLineAsync($"'{path}' {state}: {ByteSize.Format(new FileInfo(path).Length)}, {file.Hash}.");
    }

    /// <summary>How a specification names it.</summary>
    private static IEnumerable<string> DescribeUse(CatalogueEntry entry, CatalogueFile file, string root)
    {
        var isDataFolder = Environment.GetEnvironmentVariable(FolderVariable) == root;
        var location = isDataFolder ? file.Path : Path.GetFullPath(GetPath(file, root));
        yield return entry.IsWeights ? $"weights: {location}" : $"data: {location}";
        if (entry.IsWeights) yield return $"normalisation: {entry.Normalisation}";
        if (new FileInfo(GetPath(file, root)).Length > Array.MaxLength)
            yield return "It has more than 2 GiB, which is the most that is read: a smaller --size is.";
    }

    private static string Compare(CatalogueFile file, string digits) => $"expected {file.Hash}, it has {file.Hash.Describe(digits)}";

    private static string GetPath(CatalogueFile file, string root) => Path.Combine(root, file.Path);

    private static async Task<string> HashAsync(CatalogueFile file, string root, CancellationToken cancellation)
    {
        using var handle = InputFile.Open(GetPath(file, root), "file");
        await using var content = new FileStream(handle, FileAccess.Read);
        return await file.Hash.ComputeAsync(content, cancellation);
    }
}

using System.CommandLine;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Storage;
using MedMerge.Tensors;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge merge</c>: applies learned kernel weights to the weight files they belong to; no data needed.</summary>
internal static class MergeCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var weights = new Argument<string>("weights") { Description = "The learned kernel weights (kernel-weights.safetensors).", HelpName = "FILE" };
        var sources = new Option<string[]>("--source") { Description = "A source model as NAME=FILE; once for each source.", HelpName = "NAME=FILE", Required = true };
        var target = new Option<string>("--output") { Description = "The merged model's file (safetensors).", HelpName = "FILE", Required = true };
        var command = new Command("merge", "Applies learned kernel weights to source models, without data: the same bytes as the run that learned them.")
        {
            weights, sources, target,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(parsed.GetValue(weights)!, parsed.GetValue(sources)!, parsed.GetValue(target)!, output, error, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string weightsFile, string[] sourceFiles, string target, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var files = Parse(sourceFiles);
        OutputFolder.CheckFile(target);
        if (files.Values.Append(weightsFile).FirstOrDefault(file => Path.GetFullPath(file) == Path.GetFullPath(target)) is { } input)
            throw new InputException($"--output '{target}' is one of the files that are merged ('{input}'); name another.");
        using var learned = LearnedKernelWeights.Read(InputFile.Read(weightsFile, "file of kernel weights"), $"'{weightsFile}'");
        if (files.Keys.FirstOrDefault(name => learned.Sources.All(source => source.Name != name)) is { } unknown)
            throw new InputException($"--source {unknown}: the kernel weights belong to {string.Join(", ", learned.Sources.Select(source => source.Name))}.");

        var prepared = new List<PreparedSource>();
        try
        {
            foreach (var source in learned.Sources)
            {
                if (!files.TryGetValue(source.Name, out var path)) throw new InputException($"The kernel weights need the source '{source.Name}': add --source {source.Name}=FILE.");
                prepared.Add(await PrepareAsync(learned.Architecture, source, path, error));
            }
            using var merged = learned.Apply(prepared);
            await AtomicFile.WriteAsync(target, Safetensors.Write(merged, ModelMetadata.Of(learned.Architecture)), overwrite: true, cancellation);
        }
        finally
        {
            prepared.ForEach(source => source.Dispose());
        }
        await output.WriteLineAsync($"Merged {string.Join(" and ", learned.Sources.Select(source => source.Name))} into '{target}' ({learned.Architecture.Title}).");
        return ExitCodes.Done;
    }

    private static async Task<PreparedSource> PrepareAsync(Architecture architecture, WeightedSource source, string path, TextWriter error)
    {
        using var file = ModelFile.Read(path);
        var notes = new List<string>();
        using var weights = ModelImport.Import(architecture, file, $"source '{source.Name}' ('{path}')", notes);
        if (notes.Count > 0) await error.WriteLineAsync($"note: source '{source.Name}': {string.Join(", ", notes)}");
        var hash = SourceHash.Compute(architecture, weights);
        return hash == source.Sha256
            ? PreparedSource.Fold(source.Name, architecture, weights)
            : throw new InputException($"'{path}' is not the source '{source.Name}' that the weights were learned for: its backbone's hash is {hash}, wanted {source.Sha256}.");
    }

    private static Dictionary<string, string> Parse(string[] sources)
    {
        var files = new Dictionary<string, string>();
        foreach (var source in sources)
        {
            if (source.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } path]) throw new InputException($"--source '{source}' must be NAME=FILE.");
            if (!files.TryAdd(name, path)) throw new InputException($"--source {name} is there twice.");
        }
        return files;
    }
}

using System.CommandLine;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary>
/// <c>medmerge merge</c>: applies learned kernel weights to the source models they were learned for, without data.
/// </summary>
internal static class MergeCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var weights = new Argument<string>("weights")
        {
            Description = "The learned kernel weights (kernel-weights.safetensors).",
            HelpName = "FILE",
        };
        var sources = new Option<string[]>("--source")
        {
            Description = "A source model as NAME=FILE; repeat for each source.",
            HelpName = "NAME=FILE",
            Required = true,
        };
        var target = new Option<string>("--output")
        {
            Description = "The merged model's file (safetensors).",
            HelpName = "FILE",
            Required = true,
        };
        var command = new Command(
            "merge",
            "Applies learned kernel weights to source models, without data. Gives the same bytes as the run that learned them.")
        {
            weights,
            sources,
            target,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(weights)!,
            parsed.GetValue(sources)!,
            parsed.GetValue(target)!,
            output,
            error,
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        string weightsFile,
        string[] sourceFiles,
        string target,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellation)
    {
        var files = ParseSources(sourceFiles);
        OutputFolder.CheckFile(target, files.Values.Append(weightsFile));
        var sources = files.Select(pair => new SourceFile(pair.Key, pair.Value)).ToList();
        await using var merger = new ModelMerger();
        var merged = await merger.ApplyAsync(weightsFile, sources, cancellation);
        foreach (var note in merged.Notes) await error.WriteLineAsync($"note: {note}");
        await AtomicFile.WriteAsync(target, merged.Model, overwrite: true, cancellation);
        var architecture = merged.KernelWeights.Architecture.Title;
        await output.WriteLineAsync($"Merged {string.Join(" and ", merged.Sources)} into '{target}' ({architecture}).");
        return ExitCodes.Done;
    }

    private static Dictionary<string, string> ParseSources(string[] sources)
    {
        var files = new Dictionary<string, string>();
        foreach (var source in sources)
        {
            if (source.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } path])
                throw new InputException($"--source '{source}' must be NAME=FILE.");
            if (!files.TryAdd(name, path)) throw new InputException($"--source {name} is given twice.");
        }
        return files;
    }
}

using System.CommandLine;
using MedMerge.Merging;
using MedMerge.Merging.Files;
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
        var learned = LearnedKernelWeights.Read(InputFile.Read(weightsFile, KernelWeightMerger.FileKind), $"'{weightsFile}'");
        using var merger = new KernelWeightMerger(learned, sources, Environment.ProcessorCount, cancellation);
        foreach (var note in merger.Notes) await error.WriteLineAsync($"note: {note}");
        await AtomicFile.WriteAsync(target, Write, overwrite: true);
        var names = string.Join(" and ", learned.Sources.Select(source => source.Name));
        await output.WriteLineAsync($"Merged {names} into '{target}' ({learned.Architecture.Title}).");
        return ExitCodes.Done;

        Task Write(FileStream file) => Task.Run(
            () => merger.Write((offset, content) => RandomAccess.Write(file.SafeFileHandle, content, offset)),
            cancellation);
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

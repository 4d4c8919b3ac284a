using System.CommandLine;
using System.Globalization;
using MedMerge.Merging.Files;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary>
/// <c>medmerge average</c> and <c>medmerge slerp</c>: merge weight files tensor by tensor, without data and without libtorch.
/// </summary>
internal static class FileMergeCommands
{
    private const int MinFiles = 2;

    private const string Trap =
        "For models fine-tuned from one initialisation: the kernels of others don't correspond, nor do their batch norm statistics; " +
        "merge those with 'medmerge run'.";

    public static Command CreateAverage(TextWriter output)
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Weight files with the same tensors: safetensors, or PyTorch checkpoints and ONNX models, which are read whole.",
            HelpName = "FILE",
            Arity = ArgumentArity.OneOrMore,
        };
        var weights = new Option<string>("--weights")
        {
            Description = "A weight for each file, divided by their sum; equal weights if not given.",
            HelpName = "W,W,…",
        };
        var target = CreateOutput();
        var command = new Command(
            "average",
            "Averages weight files tensor by tensor, without data: with equal weights a uniform soup (a greedy one chooses its files " +
            $"on validation data, which this does not). {Trap}")
        {
            files,
            weights,
            target,
        };
        command.Aliases.Add("soup");
        command.SetAction((parsed, cancellation) =>
        {
            var paths = parsed.GetValue(files)!;
            if (paths.Length < MinFiles) throw new InputException($"Averaging needs at least {MinFiles} files; there is {paths.Length}.");
            var mean = new WeightedMean(ParseWeights(parsed.GetValue(weights), paths.Length));
            return RunAsync(paths, mean, parsed.GetValue(target)!, output, cancellation);
        });
        return command;
    }

    public static Command CreateSlerp(TextWriter output)
    {
        var first = new Argument<string>("first")
        {
            Description = "The weight file that t = 0 gives: safetensors, or a PyTorch checkpoint or ONNX model, which is read whole.",
            HelpName = "FILE",
        };
        var second = new Argument<string>("second")
        {
            Description = "The weight file that t = 1 gives.",
            HelpName = "FILE",
        };
        var t = new Option<double>("--t")
        {
            Description = "Where between the two, from 0 to 1.",
            HelpName = "T",
            DefaultValueFactory = _ => 0.5,
        };
        var target = CreateOutput();
        var command = new Command(
            "slerp",
            $"Interpolates two weight files spherically (Shoemake 1985), tensor by tensor, without data. {Trap}")
        {
            first,
            second,
            t,
            target,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var position = parsed.GetValue(t);
            if (position is not (>= 0 and <= 1))
                throw new InputException(string.Create(CultureInfo.InvariantCulture, $"--t is {position}; it must be from 0 to 1."));
            string[] paths = [parsed.GetValue(first)!, parsed.GetValue(second)!];
            return RunAsync(paths, new SphericalInterpolation(position), parsed.GetValue(target)!, output, cancellation);
        });
        return command;
    }

    private static Option<string> CreateOutput() => new("--output")
    {
        Description = "The merged file (safetensors), in the first file's types.",
        HelpName = "FILE",
        Required = true,
    };

    private static double[] ParseWeights(string? text, int files)
    {
        if (text is null) return [.. Enumerable.Repeat(1.0, files)];
        var parts = text.Split(',');
        if (parts.Length != files) throw new InputException($"--weights has {parts.Length} numbers for {files} files.");
        return [.. parts.Select(Parse)];

        double Parse(string part) => double.TryParse(part, CultureInfo.InvariantCulture, out var weight)
            ? weight
            : throw new InputException($"--weights '{text}' must be numbers with commas between them, such as 0.5,0.3,0.2.");
    }

    private static async Task<int> RunAsync(
        string[] paths,
        FileCombination combination,
        string target,
        TextWriter output,
        CancellationToken cancellation)
    {
        OutputFolder.CheckFile(target, paths);
        using var merger = new WeightFileMerger(paths, combination);
        await AtomicFile.WriteAsync(
            target,
            file => merger.WriteAsync(file.SafeFileHandle, Environment.ProcessorCount, cancellation),
            overwrite: true);
        await output.WriteLineAsync($"Merged {paths.Length} files of {merger.Tensors} tensors into '{target}' ({combination.Command}).");
        return ExitCodes.Done;
    }
}

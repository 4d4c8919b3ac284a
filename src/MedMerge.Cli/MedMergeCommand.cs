using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using MedMerge.Cli.Commands;
using MedMerge.Cli.Downloads;
using MedMerge.Storage;

namespace MedMerge.Cli;

/// <summary>The command <c>medmerge</c>. Results go to standard output, everything else to standard error.</summary>
public static class MedMergeCommand
{
    private const string Name = "medmerge";

    /// <summary>Runs a command line and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        // Not a RootCommand, which is named after its assembly.
        var root = new Command(
            Name,
            "Merges medical-imaging models of different initialisations by learned kernel weights (MedMerge, arXiv 2403.11646).")
        {
            new HelpOption(),
            new VersionOption(),
            RunCommand.Create(output, error),
            MergeCommand.Create(output, error),
            FileMergeCommands.CreateAverage(output),
            FileMergeCommands.CreateSlerp(output),
            InspectCommand.Create(output),
            ExportCommand.Create(output, error),
            PretrainCommand.Create(output, error),
            DataCommand.Create(output, error),
            StorageCommand.Create(output),
            SubmitCommand.Create(output, error),
            WatchCommand.Create(output, error),
            ScheduleCommand.Create(output, error),
            BenchmarkCommand.Create(output, error),
            CompletionCommand.Create(output),
        };
        foreach (var command in SweepCommands.Create(output, error)) root.Add(command);
        if (CompletionCommand.TrySuggest(root, args, output)) return ExitCodes.Done;
        using var interrupted = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            var parsed = root.Parse(args);
            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            var code = await parsed.InvokeAsync(configuration, interrupted.Token);
            return parsed.Action is ParseErrorAction ? ExitCodes.BadInput : code;
        }
        catch (InputException problem)
        {
            await error.WriteLineAsync($"error: {problem.Message}");
            return ExitCodes.BadInput;
        }
        catch (Exception problem) when (problem is GatewayException or DownloadException)
        {
            await error.WriteLineAsync($"failed: {problem.Message}");
            return ExitCodes.Failed;
        }
        catch (DiskException problem)
        {
            await error.WriteLineAsync($"failed: {problem.Message} Then the same command resumes from what is finished.");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            await error.WriteLineAsync("Interrupted. Finished stages and epochs are kept; the same command resumes from there.");
            return ExitCodes.Interrupted;
        }
        catch (Exception problem)
        {
            await error.WriteLineAsync($"failed unexpectedly: {problem}"); // a bug or a fault of the machine; the stack shows where
            return ExitCodes.Failed;
        }

        void Cancel(PosixSignalContext signal)
        {
            if (interrupted.IsCancellationRequested) return; // a second signal ends the process at once
            signal.Cancel = true; // the first one lets running work save its state
            interrupted.Cancel();
        }
    }
}

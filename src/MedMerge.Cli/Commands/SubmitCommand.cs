using System.Collections.Concurrent;
using System.CommandLine;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge submit FILE</c>: runs a whole comparison on a cluster.</summary>
internal static class SubmitCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var file = CommonOptions.SpecificationFile();
        var gateway = CommonOptions.Gateway();
        var watch = new Option<bool>("--watch") { Description = "Show the progress until the sweep ends." };
        var command = new Command(
            "submit",
            "Checks a specification, sends it with its files to a gateway, and prints the sweep's id. Idempotent.")
        {
            file,
            gateway,
            watch,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(file)!,
            parsed.GetValue(gateway)!,
            parsed.GetValue(watch),
            output,
            error,
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        string file,
        string address,
        bool watch,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellation)
    {
        using var gateway = new GatewayClient(address);
        var (yaml, files) = await UploadAsync(file, gateway, error, cancellation);
        var status = await gateway.SubmitAsync(yaml, files, cancellation);
        await output.WriteLineAsync(status.Id);
        return watch ? await new SweepWatch(gateway, error).RunAsync(status.Id, cancellation) : ExitCodes.Done;
    }

    /// <summary>Checks a specification and uploads the files that it names and the gateway does not have.</summary>
    /// <returns>The specification as written, and the addresses of its files by the paths that it names them by.</returns>
    internal static async Task<(string Yaml, IReadOnlyDictionary<string, string> Files)> UploadAsync(
        string file,
        GatewayClient gateway,
        TextWriter error,
        CancellationToken cancellation)
    {
        var yaml = "";
        IReadOnlyDictionary<string, string> paths = new Dictionary<string, string>();
        var specification = ScenarioLoader.Read(() => SpecificationReader.ReadFile(file, out yaml, out paths), InputFile.Read);
        var contents = new ConcurrentDictionary<string, byte[]>();
        var plan = Plan.Build(specification, (location, kind) => contents[location] = InputFile.Read(location, kind));
        foreach (var note in plan.Notes) await error.WriteLineAsync($"note: {note}");
        CheckFiles(contents.Keys, paths.Values);

        var addresses = paths.ToDictionary(
            path => path.Key,
            path => FrozenSpecification.Address(contents[path.Value], path.Value));
        foreach (var (path, sent) in addresses.DistinctBy(entry => FrozenSpecification.HashOf(entry.Value)))
        {
            var hash = FrozenSpecification.HashOf(sent)!;
            if (await gateway.HasFileAsync(hash, contents[paths[path]].Length, cancellation)) continue;
            await error.WriteLineAsync($"Uploading '{path}'.");
            await gateway.UploadAsync(hash, contents[paths[path]], cancellation);
        }
        return (yaml, addresses);
    }

    /// <summary>Refuses data sets of several files.</summary>
    /// <param name="read">What was read.</param>
    /// <param name="named">What the specification names.</param>
    /// <exception cref="InputException">Something was read that it does not name.</exception>
    internal static void CheckFiles(IEnumerable<string> read, IEnumerable<string> named)
    {
        if (read.Except(named).FirstOrDefault() is not { } other) return;
        throw new InputException(
            $"A data set reads '{other}', which the specification does not name itself. A gateway takes data sets of one file only; " +
            "`medmerge run` reads this one.");
    }
}

using System.CommandLine;
using MedMerge.Experiments.Methods;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary>Options and messages that several commands share.</summary>
internal static class CommonOptions
{
    private const string GatewayVariable = "MEDMERGE_GATEWAY";
    private const string DefaultGateway = "http://127.0.0.1:8080";

    public static Option<string?> Store() => new("--store")
    {
        Description =
            "Folder that keeps finished stages, so that none is computed twice. Default: the blob service in " +
            $"{ObjectStores.ConnectionVariable} if set, otherwise {ObjectStores.DefaultFolder}.",
        HelpName = "DIR",
    };

    public static Option<string> Gateway() => new("--gateway")
    {
        Description =
            $"The gateway's address. Default: {GatewayVariable} if set. " +
            "MEDMERGE_API_KEY holds the API key, or MEDMERGE_TOKEN a bearer token.",
        HelpName = "URL",
        DefaultValueFactory = _ =>
            Environment.GetEnvironmentVariable(GatewayVariable) is { Length: > 0 } address ? address : DefaultGateway,
    };

    public static Argument<string> SpecificationFile() => new("specification")
    {
        Description = "The YAML specification to run.",
        HelpName = "FILE",
    };

    public static Argument<string> SweepId() => new("id")
    {
        Description = "The sweep's id, as printed by `submit` and `list`.",
        HelpName = "ID",
    };

    public static Option<string?> Output() => new("--output")
    {
        Description = "Write results, merged models, kernel weights and certificates to this folder.",
        HelpName = "DIR",
    };

    /// <summary>The methods whose models are written with <see cref="Output"/>.</summary>
    public static Option<string[]> Export() => new("--export")
    {
        Description = $"The methods whose models --output writes, or all. Default: {string.Join(", ", OutputFiles.DefaultMethods)}.",
        HelpName = "METHOD",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>The methods that <see cref="Export"/> names.</summary>
    /// <exception cref="InputException">There is no such method.</exception>
    public static IReadOnlyList<string> ReadExport(string[]? names)
    {
        const string all = "all";
        if (names is null || names.Length == 0) return OutputFiles.DefaultMethods;
        if (names.FirstOrDefault(name => name != all && !MethodRegistry.Names.Contains(name)) is { } unknown)
            throw new InputException($"--export '{unknown}' is no method; there are all, {string.Join(", ", MethodRegistry.Names)}.");
        return names.Contains(all) ? MethodRegistry.Names : names;
    }

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON." };

    /// <summary>The message after writing to <see cref="Output"/>.</summary>
    public static string DescribeOutput(string folder) => $"Results, models, kernel weights and certificates are in '{folder}'.";

    /// <summary>Creates the progress line for a command's standard error.</summary>
    public static ProgressLine CreateProgressLine(TextWriter error) =>
        new(error, isTerminal: !Console.IsErrorRedirected && error == Console.Error);
}

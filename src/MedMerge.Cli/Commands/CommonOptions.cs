using System.CommandLine;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary>Options that several commands take.</summary>
internal static class CommonOptions
{
    public static Option<string?> Store() => new("--store")
    {
        Description = $"The folder that finished stages are kept in, so that none is computed twice. Without it the blob service of {ObjectStores.ConnectionVariable}, where that is set, otherwise {ObjectStores.DefaultFolder}.",
        HelpName = "DIR",
    };

    public static Option<string> Gateway() => new("--gateway")
    {
        Description = "The gateway's address; MEDMERGE_GATEWAY where it is set. MEDMERGE_API_KEY holds the key, or MEDMERGE_TOKEN a bearer token.",
        HelpName = "URL",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("MEDMERGE_GATEWAY") is { Length: > 0 } address ? address : "http://127.0.0.1:8080",
    };

    public static Argument<string> SweepId() => new("id") { Description = "The sweep's id, as `submit` and `list` print it.", HelpName = "ID" };

    public static Option<string?> Output() => new("--output") { Description = "Write results, merged models, kernel weights and certificates here.", HelpName = "DIR" };

    /// <summary>Says that <see cref="Output"/> was followed.</summary>
    public static string Written(string folder) => $"Results, models, kernel weights and certificates are in '{folder}'.";

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON." };
}

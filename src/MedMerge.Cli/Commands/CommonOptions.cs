using System.CommandLine;

namespace MedMerge.Cli.Commands;

/// <summary>Options that several commands take.</summary>
internal static class CommonOptions
{
    public static Option<string> Store() => new("--store")
    {
        Description = "The folder that finished stages are kept in, so that none is computed twice.",
        HelpName = "DIR",
        DefaultValueFactory = _ => ".medmerge",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON." };
}

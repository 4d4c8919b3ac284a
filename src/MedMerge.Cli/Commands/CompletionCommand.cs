using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge completion SHELL</c>: prints a script that has a shell complete the command line.</summary>
internal static partial class CompletionCommand
{
    /// <summary>A script for each shell. All ask the command itself, by the directive of <see cref="TrySuggest"/>.</summary>
    private static readonly IReadOnlyDictionary<string, string> Scripts = new Dictionary<string, string>
    {
        ["bash"] = """
            _medmerge() {
                mapfile -t COMPREPLY < <(medmerge "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
            }
            complete -o default -F _medmerge medmerge
            """,
        ["zsh"] = """
            _medmerge() {
                local line="${words[1,CURRENT]}"
                local -a found=(${(f)"$(medmerge "[suggest:${#line}]" "$line" 2>/dev/null)"})
                if (( ${#found} )); then compadd -a found; else _files; fi
            }
            compdef _medmerge medmerge
            """,
        ["fish"] = """
            function __medmerge_complete
                set -l line (commandline -cp)
                medmerge "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
            end
            complete -c medmerge -a '(__medmerge_complete)'
            """,
        ["pwsh"] = """
            Register-ArgumentCompleter -Native -CommandName medmerge -ScriptBlock {
                param($word, $ast, $position)
                $length = $position - $ast.Extent.StartOffset
                medmerge "[suggest:$length]" "$ast".PadRight($length) 2>$null |
                    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """,
    };

    public static Command Create(TextWriter output)
    {
        var shell = new Argument<string>("shell")
        {
            Description = string.Join(", ", Scripts.Keys) + ".",
            HelpName = "SHELL",
        };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new Command("completion", "Prints a script that has a shell complete commands and options.") { shell };
        command.SetAction((parsed, _) => output.WriteLineAsync(Scripts[parsed.GetValue(shell)!]));
        return command;
    }

    /// <summary>
    /// Answers System.CommandLine's directive <c>[suggest:POSITION] LINE</c>, which only its own root command knows: what may stand at a
    /// position of a command line, one suggestion a line. Without any, shells complete the names of files.
    /// </summary>
    /// <returns>Whether the arguments were that.</returns>
    public static bool TrySuggest(Command root, string[] args, TextWriter output)
    {
        if (args is not [var directive, var line] || Directive().Match(directive) is not { Success: true } match) return false;
        var position = Math.Min(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), line.Length);
        var begun = line[..position];
        var word = begun[(begun.LastIndexOf(' ') + 1)..];
        var suggestions = root.Parse(begun).GetCompletions(position)
            .Select(suggestion => suggestion.Label)
            .Where(label => label.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            .Where(label => word.Length > 0 || char.IsLetter(label[0])); // options only once a dash is there
        foreach (var suggestion in suggestions) output.WriteLine(suggestion);
        return true;
    }

    [GeneratedRegex(@"\A\[suggest:(\d{1,6})\]\z")]
    private static partial Regex Directive();
}

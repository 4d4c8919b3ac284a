using System.Diagnostics;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>Completion in shells.</summary>
public sealed class CompletionTests
{
    private const string Bash = "/bin/bash";

    [Theory]
    [InlineData("medmerge sche", "schedule")]
    [InlineData("medmerge schedule re", "remove resume")]
    [InlineData("/usr/bin/medmerge show x --st", "--state")]
    [InlineData("medmerge show x --state st", "StoppedEarly")]
    [InlineData("medmerge completion ", "bash fish pwsh zsh")]
    [InlineData("medmerge run ", "")]
    public async Task The_directive_gives_what_begins_with_the_word_at_the_position(string line, string expected)
    {
        var found = await SuggestAsync(line.Length, line);
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_the_name_all_commands_may_stand_and_what_follows_the_position_does_not_matter()
    {
        var commands = await SuggestAsync("medmerge ".Length, "medmerge  --watch");
        Assert.Superset(new HashSet<string> { "run", "watch", "list", "show", "submit", "completion" }, commands.ToHashSet());
        Assert.All(commands, command => Assert.Matches("^[a-z]+$", command));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public async Task Each_shell_has_a_script_that_asks_by_the_directive(string shell)
    {
        var (code, script, _) = await RunAsync("completion", shell);
        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("medmerge \"[suggest:", script, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_shells_are_refused()
    {
        var (code, _, error) = await RunAsync("completion", "tcsh");
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("'bash'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_bash_the_script_completes_a_command()
    {
        if (!File.Exists(Bash)) Assert.Skip("bash is missing.");
        var script = $$"""
            medmerge() { dotnet '{{Repository.Program("MedMerge.Cli")}}' "$@"; }
            source <(medmerge completion bash)
            complete -p medmerge
            COMP_LINE='medmerge wat' COMP_POINT=12
            _medmerge
            echo "${COMPREPLY[@]}"
            """;
        var start = new ProcessStartInfo(Bash, ["-c", script]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("complete -o default -F _medmerge medmerge\nwatch\n", output);
    }

    private static async Task<string[]> SuggestAsync(int position, string line)
    {
        var (code, output, error) = await RunAsync($"[suggest:{position}]", line);
        Assert.True(code == ExitCodes.Done, error);
        return output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(arguments, output, error));
}

using System.Diagnostics;
using System.Text.Json;
using MedMerge.Cli;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>The command on a terminal, which util-linux's <c>script</c> gives it, and for programs.</summary>
[Collection(CommandTests.Variables)]
public sealed class TerminalTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    private const string Script = "/usr/bin/script";
    private const string Escape = "\u001b";
    private const string HideCursor = $"{Escape}[?25l";
    private const string ShowCursor = $"{Escape}[?25h";

    [Fact]
    public async Task A_terminal_gets_a_live_table_and_colours_unless_they_are_not_wanted()
    {
        if (!File.Exists(Script)) Assert.Skip("script of util-linux is missing (Debian: apt-get install bsdutils).");
        var id = await SubmitAsync("terminal", epochs: 2);
        var watched = await OnTerminalAsync("watch", id);
        Assert.Contains("trial", watched, StringComparison.Ordinal);
        Assert.Contains("scratch", watched, StringComparison.Ordinal);
        Assert.Contains($"{id}: Done, 2 of 2 trials have a result.", watched, StringComparison.Ordinal);
        var hidden = watched.LastIndexOf(HideCursor, StringComparison.Ordinal);
        var shown = watched.LastIndexOf(ShowCursor, StringComparison.Ordinal);
        Assert.InRange(hidden, 0, shown);

        Assert.Matches($@"{id} .*{Escape}\[[0-9;]+mDone{Escape}\[0m .*━━.* 2/2", await OnTerminalAsync("list"));
        Assert.DoesNotMatch($@"{Escape}\[[0-9;]*3\d", await OnTerminalAsync("NO_COLOR=1", "list"));
        Assert.Contains($"| {id} |", await OnTerminalAsync("TERM=dumb", "list"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_get_a_line_of_json_for_every_status()
    {
        var id = await SubmitAsync("program", epochs: 1);
        var (code, output, error) = await RunAsync("watch", id, "--json");
        Assert.True(code == ExitCodes.Done, error);
        var lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        var states = lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("state").GetString()).ToList();
        Assert.Equal("Done", states[^1]);
        Assert.All(states.SkipLast(1), state => Assert.Equal("Running", state));
    }

    private async Task<string> SubmitAsync(string name, int epochs)
    {
        var file = Path.Combine(gateway.Folder, $"{name}.yaml");
        var builder = new SpecificationBuilder { Name = name, Methods = "[scratch]", Seeds = 2 };
        File.WriteAllText(file, builder.WithEpochs(epochs).Yaml);
        var (code, output, error) = await RunAsync("submit", file);
        Assert.True(code == ExitCodes.Done, error);
        return output.Trim();
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", RunningGateway.Key);
        try
        {
            return await CommandOutput.OfAsync((output, error) =>
                MedMergeCommand.RunAsync([.. arguments, "--gateway", gateway.Address.ToString()], output, error));
        }
        finally
        {
            Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", null);
        }
    }

    /// <summary>Runs the command on a terminal of 100 columns; gives what it writes.</summary>
    /// <param name="arguments">The first may set a variable: <c>NAME=VALUE</c>.</param>
    private async Task<string> OnTerminalAsync(params string[] arguments)
    {
        var hasVariable = arguments[0].Contains('=', StringComparison.Ordinal);
        var variable = hasVariable ? arguments[0] : "COLORTERM=";
        var command = string.Join(' ', arguments.Skip(hasVariable ? 1 : 0));
        var program = Repository.Program("MedMerge.Cli");
        var line = $"stty cols 100 rows 30; {variable} dotnet '{program}' {command} --gateway {gateway.Address}";
        var start = new ProcessStartInfo(Script, ["-qec", line, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TERM"] = "xterm-256color";
        start.Environment["MEDMERGE_API_KEY"] = RunningGateway.Key;
        foreach (var other in new[] { "NO_COLOR", "CI" }) start.Environment.Remove(other);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == ExitCodes.Done, output);
        return output;
    }
}

using System.Diagnostics;
using System.Text;
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
        var id = await SubmitAsync("terminal", epochs: 2000);
        using var watch = StartOnTerminal($"watch {id}");
        var watched = new StringBuilder();
        await ReadAsync(watch, watched, until: "scratch");
        await RunAsync("cancel", id);
        await ReadAsync(watch, watched);
        var text = watched.ToString();
        Assert.Contains($"{id}: Cancelled, 0 of 2 trials have a result", text, StringComparison.Ordinal);
        var hidden = text.LastIndexOf(HideCursor, StringComparison.Ordinal);
        var shown = text.LastIndexOf(ShowCursor, StringComparison.Ordinal);
        Assert.InRange(hidden, 0, shown);

        Assert.Matches($@"{id} .*{Escape}\[[0-9;]+mCancelled{Escape}\[0m .* 0/2", await ListAsync());
        Assert.DoesNotMatch($@"{Escape}\[[0-9;]*3\d", await ListAsync("NO_COLOR=1"));
        Assert.Contains($"| {id} |", await ListAsync("TERM=dumb"), StringComparison.Ordinal);
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
        Assert.DoesNotContain("Done", states.SkipLast(1));
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

    private async Task<string> ListAsync(string variable = "")
    {
        using var list = StartOnTerminal("list", variable);
        var text = new StringBuilder();
        await ReadAsync(list, text);
        return text.ToString();
    }

    /// <summary>Starts the command on a terminal of 100 columns.</summary>
    /// <param name="variable">To set: <c>NAME=VALUE</c>.</param>
    private Process StartOnTerminal(string command, string variable = "")
    {
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
        return Process.Start(start)!;
    }

    /// <summary>Reads what a process writes, to its end or until a text is in it.</summary>
    private static async Task ReadAsync(Process process, StringBuilder text, string? until = null)
    {
        var buffer = new char[4096];
        while (until is null || !text.ToString().Contains(until, StringComparison.Ordinal))
        {
            var count = await process.StandardOutput.ReadAsync(buffer, TestContext.Current.CancellationToken);
            if (count == 0) break;
            text.Append(buffer, 0, count);
        }
    }
}

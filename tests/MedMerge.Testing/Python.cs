using System.Diagnostics;

namespace MedMerge.Testing;

/// <summary>Debian's Python, with Debian's packages.</summary>
public static class Python
{
    private const string Program = "/usr/bin/python3";

    /// <summary>Whether these modules can be imported: <c>numpy, torch</c>.</summary>
    public static bool Has(string modules) => File.Exists(Program) && Run("-c", $"import {modules}").Code == 0;

    /// <summary>Runs it to its end.</summary>
    public static (int Code, string Text) Run(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text + errors.Result);
    }
}

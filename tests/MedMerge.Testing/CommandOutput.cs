namespace MedMerge.Testing;

/// <summary>Runs a command line in this process and keeps what it printed.</summary>
public static class CommandOutput
{
    /// <param name="run">Runs it on these writers and returns its exit code.</param>
    public static async Task<(int Code, string Output, string Error)> OfAsync(Func<TextWriter, TextWriter, Task<int>> run)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await run(output, error);
        return (code, output.ToString(), error.ToString());
    }
}

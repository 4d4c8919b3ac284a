using System.Text;
using Spectre.Console;

namespace MedMerge.Cli;

/// <summary>The terminal that a command writes to, where it writes to one.</summary>
internal static class Terminal
{
    /// <summary>
    /// Opens the terminal behind the process's standard output or error. Null where that is a file or a pipe, and on terminals whose cursor
    /// can't be moved (<c>TERM=dumb</c>): they get plain lines. It has no colours where <c>NO_COLOR</c> is set.
    /// </summary>
    /// <param name="writer">What the command was given to write to.</param>
    public static IAnsiConsole? Open(TextWriter writer)
    {
        if (FindStream(writer) is not { } stream) return null;
        // Not through PrintableWriter, which spoils the terminal's sequences: what is drawn makes its own texts printable.
        var output = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true };
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new Output(output) });
        return terminal.Profile.Capabilities.Ansi ? terminal : null;
    }

    private static Stream? FindStream(TextWriter writer)
    {
        if (writer == Console.Out && !Console.IsOutputRedirected) return Console.OpenStandardOutput();
        if (writer == Console.Error && !Console.IsErrorRedirected) return Console.OpenStandardError();
        return null;
    }

    private sealed class Output(TextWriter writer) : IAnsiConsoleOutput
    {
        /// <summary>Terminals that do not say how large they are get this.</summary>
        private const int DefaultWidth = 80;

        private const int DefaultHeight = 24;

        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => Console.WindowWidth is > 0 and var width ? width : DefaultWidth;

        public int Height => Console.WindowHeight is > 0 and var height ? height : DefaultHeight;

        public void SetEncoding(Encoding encoding)
        {
            // The writer keeps its own.
        }
    }
}

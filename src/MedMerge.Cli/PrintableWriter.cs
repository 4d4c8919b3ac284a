using System.Globalization;
using System.Text;

namespace MedMerge.Cli;

/// <summary>
/// Writes control characters as <c>\u001B</c>, except those of lines and tabs: names of files and data sets come from others, and a
/// terminal obeys the sequences in them.
/// </summary>
internal sealed class PrintableWriter(TextWriter inner) : TextWriter(CultureInfo.InvariantCulture)
{
    /// <summary>Replaces every control character, those of lines and tabs too: for a cell of a table.</summary>
    public static string Escape(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(value => char.IsControl(value) ? Escape(value) : $"{value}")) : text;

    /// <inheritdoc />
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc />
    public override void Write(char value)
    {
        if (char.IsControl(value) && value is not ('\n' or '\r' or '\t')) inner.Write(Escape(value));
        else inner.Write(value);
    }

    /// <inheritdoc />
    public override void Write(string? value)
    {
        if (value is null) return;
        if (value.Any(char.IsControl)) base.Write(value.AsSpan());
        else inner.Write(value);
    }

    /// <inheritdoc />
    public override void Flush() => inner.Flush();

    private static string Escape(char value) => $"\\u{(int)value:X4}";
}

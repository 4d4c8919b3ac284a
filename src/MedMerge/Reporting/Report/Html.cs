using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace MedMerge.Reporting.Report;

/// <summary>A piece of HTML or SVG. What is put into a piece is encoded, unless it is one itself: no name can become markup.</summary>
internal readonly record struct Html
{
    private readonly string? _text;

    private Html(string text) => _text = text;

    /// <summary>Nothing.</summary>
    public static Html None => default;

    /// <summary>Makes a piece of a text with holes.</summary>
    public static Html Of(HtmlInterpolation text) => new(text.ToString());

    /// <summary>Takes markup that this program itself holds.</summary>
    public static Html OfMarkup(string markup) => new(markup);

    /// <summary>One piece after the other.</summary>
    public static Html Join(IEnumerable<Html> pieces) => new(string.Join('\n', pieces.Where(piece => piece._text is { Length: > 0 })));

    /// <summary>Places in a figure as SVG lists them.</summary>
    public static Html Points(IEnumerable<(double X, double Y)> places) =>
        new(string.Join(' ', places.Select(place => string.Create(CultureInfo.InvariantCulture, $"{place.X:0.#},{place.Y:0.#}"))));

    /// <inheritdoc />
    public override string ToString() => _text ?? "";
}

/// <summary>A text with holes on its way to <see cref="Html"/>.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlInterpolation(int literalLength, int formattedCount)
{
    private const int HoleLength = 16; // about
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _text = new(literalLength + (formattedCount * HoleLength));

    /// <summary>Takes markup as it is.</summary>
    public void AppendLiteral(string markup) => _text.Append(markup);

    /// <summary>Takes a piece as it is.</summary>
    public void AppendFormatted(Html piece) => _text.Append(piece);

    /// <summary>Encodes a text.</summary>
    public void AppendFormatted(string? text) => _text.Append(Encoder.Encode(text ?? ""));

    /// <summary>Writes a number.</summary>
    public void AppendFormatted(int number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

    /// <summary>Writes a coordinate or a size, which a browser needs no more exactly.</summary>
    public void AppendFormatted(double number) => _text.Append(number.ToString("0.##", CultureInfo.InvariantCulture));

    /// <inheritdoc />
    public override string ToString() => _text.ToString();
}

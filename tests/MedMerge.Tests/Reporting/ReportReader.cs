using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;

namespace MedMerge.Tests.Reporting;

/// <summary>Reads a report as its readers do.</summary>
internal static class ReportReader
{
    /// <summary>The page is well-formed XML besides, so that a tag that was left open is found.</summary>
    public static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader).Root!;
    }

    /// <summary>The rows of the table whose caption begins so.</summary>
    public static List<KeyValuePair<string, List<string>>> ReadTable(XElement page, string caption) =>
    [
        .. page.Descendants("table")
            .Single(table => table.Element("caption")!.Value.StartsWith(caption, StringComparison.Ordinal))
            .Element("tbody")!
            .Elements("tr")
            .Select(row => KeyValuePair.Create(row.Element("th")!.Value, row.Elements("td").Select(cell => cell.Value).ToList())),
    ];

    /// <summary>A property's text.</summary>
    public static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    /// <summary>What a figure says to who does not see it.</summary>
    public static string Label(XElement svg) => svg.Attribute("aria-label")?.Value ?? "";

    /// <summary>The class of an element.</summary>
    public static string? Class(XElement element) => element.Attribute("class")?.Value;

    /// <summary>A share in per cent.</summary>
    public static string Percent(double share, string format) => (100 * share).ToString(format, CultureInfo.InvariantCulture);
}

using System.Diagnostics.Metrics;

namespace MedMerge.Infra.Tests;

/// <summary>
/// How the OpenTelemetry collector's Prometheus exporter names an instrument (translation strategy
/// UnderscoreEscapingWithSuffixes): the rules of github.com/prometheus/otlptranslator, as far as instruments here need them.
/// </summary>
internal static class PrometheusName
{
    private static readonly Dictionary<string, string> Units = new()
    {
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["By"] = "bytes",
        ["%"] = "percent",
        ["1"] = "",
    };

    /// <summary>The series that an instrument becomes.</summary>
    public static IReadOnlyList<string> Of(Instrument instrument)
    {
        var kind = instrument.GetType().Name.Split('`')[0];
        var isCounter = kind is "Counter" or "ObservableCounter";
        var isGauge = kind is "Gauge" or "ObservableGauge";
        var name = Of(instrument.Name, instrument.Unit ?? "", isCounter, isGauge);
        return kind == "Histogram" ? [$"{name}_bucket", $"{name}_sum", $"{name}_count"] : [name];
    }

    /// <summary>A name of its own, without what a histogram adds.</summary>
    /// <param name="isCounter">It only grows: it ends in <c>total</c>.</param>
    /// <param name="isGauge">Then the unit <c>1</c> is told, as <c>ratio</c>; an up-down counter is no gauge here.</param>
    public static string Of(string name, string unit, bool isCounter, bool isGauge)
    {
        var words = string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'))
            .Split('_', StringSplitOptions.RemoveEmptyEntries)
            .ToList();
        if (unit.Contains('/', StringComparison.Ordinal)) throw new NotSupportedException($"{name}: the unit {unit}");
        // What stands in braces is for people: {image}.
        var suffix = unit.Contains('{', StringComparison.Ordinal) ? "" : Units.GetValueOrDefault(unit, unit);
        if (suffix.Length > 0 && !words.Contains(suffix)) words.Add(suffix);
        if (isCounter) Last("total");
        if (isGauge && unit == "1") Last("ratio");
        return string.Join('_', words);

        void Last(string word)
        {
            words.RemoveAll(known => known == word);
            words.Add(word);
        }
    }
}

using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using MedMerge.Telemetry;
using MedMerge.Testing;

namespace MedMerge.Infra.Tests;

/// <summary>
/// The Grafana dashboard asks for metrics that the code has, by the names that the collector gives them, and for all of ours.
/// </summary>
public sealed partial class DashboardTests
{
    private static readonly JsonElement Dashboard =
        JsonDocument.Parse(Repository.Read("infra/telemetry/grafana-dashboard.json")).RootElement;

    private static IReadOnlyList<JsonElement> Panels => [.. Dashboard.GetProperty("panels").EnumerateArray()];

    private static IEnumerable<JsonElement> Targets => Panels
        .Where(panel => panel.TryGetProperty("targets", out _))
        .SelectMany(panel => panel.GetProperty("targets").EnumerateArray());

    private static IEnumerable<JsonElement> Variables => Dashboard.GetProperty("templating").GetProperty("list").EnumerateArray();

    private static IReadOnlyList<string> Queries =>
    [
        .. Targets.Select(target => target.GetProperty("expr").GetString()!),
        .. Variables
            .Where(variable => Text(variable, "type") == "query")
            .Select(variable => variable.GetProperty("query").GetProperty("query").GetString()!),
    ];

    [Fact]
    public void Every_metric_that_is_asked_for_exists()
    {
        var known = Instruments().SelectMany(PrometheusName.Of).ToHashSet(StringComparer.Ordinal);
        var asked = Queries.SelectMany(query => Metric().Matches(query)).Select(match => match.Value).ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(asked);
        Assert.Empty(asked.Except(known));
    }

    [Fact]
    public void Every_metric_of_ours_is_shown()
    {
        var ours = Instruments().Where(instrument => instrument.Meter.Name == Telemetry.Instruments.MeterName).ToList();
        Assert.True(ours.Count >= 16, $"{ours.Count}");
        Assert.Empty(ours.Where(instrument => !PrometheusName.Of(instrument).Any(IsAskedFor)).Select(instrument => instrument.Name));

        static bool IsAskedFor(string series) => Queries.Any(query => Regex.IsMatch(query, $@"\b{series}\b"));
    }

    [Theory]
    [InlineData("medmerge.step.duration", "s", false, false, "medmerge_step_duration_seconds")]
    [InlineData("medmerge.samples", "{image}", true, false, "medmerge_samples_total")]
    [InlineData("medmerge.device.busy", "1", false, true, "medmerge_device_busy_ratio")]
    [InlineData("medmerge.gradient.norm", "1", false, false, "medmerge_gradient_norm")]
    [InlineData("medmerge.trials", "{trial}", false, false, "medmerge_trials")]
    [InlineData("system.filesystem.usage", "By", false, true, "system_filesystem_usage_bytes")]
    [InlineData("system.network.dropped", "packets", true, false, "system_network_dropped_packets_total")]
    [InlineData("http.server.duration.seconds", "s", false, false, "http_server_duration_seconds")]
    [InlineData("requests.total.count", "1", true, false, "requests_count_total")]
    public void Names_follow_the_collectors_rules(string name, string unit, bool isCounter, bool isGauge, string expected) =>
        Assert.Equal(expected, PrometheusName.Of(name, unit, isCounter, isGauge));

    [Fact]
    public void Queries_know_their_variables_and_are_for_the_chosen_instances()
    {
        var known = Variables.Select(variable => Text(variable, "name")).Append("__rate_interval").ToHashSet(StringComparer.Ordinal);
        Assert.All(Queries, query =>
        {
            Assert.Equal(query.Count(letter => letter == '('), query.Count(letter => letter == ')'));
            Assert.Equal(query.Count(letter => letter == '{'), query.Count(letter => letter == '}'));
            Assert.All(UsedVariable().Matches(query).Select(match => match.Groups[1].Value), name => Assert.Contains(name, known));
        });
        Assert.All(Targets, target =>
        {
            var query = Text(target, "expr");
            Assert.Equal(Metric().Count(query), Regex.Count(query, Regex.Escape("instance=~\"$instance\"")));
            Assert.Equal("${datasource}", target.GetProperty("datasource").GetProperty("uid").GetString());
        });
    }

    [Fact]
    public void Panels_lie_side_by_side()
    {
        Assert.Equal(Panels.Count, Panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var taken = new HashSet<(int, int)>();
        foreach (var panel in Panels)
        {
            var place = panel.GetProperty("gridPos");
            var x = place.GetProperty("x").GetInt32();
            var y = place.GetProperty("y").GetInt32();
            var w = place.GetProperty("w").GetInt32();
            var h = place.GetProperty("h").GetInt32();
            Assert.True(x + w <= 24, Text(panel, "title"));
            for (var row = y; row < y + h; row++)
            {
                for (var column = x; column < x + w; column++) Assert.True(taken.Add((column, row)), Text(panel, "title"));
            }
        }
    }

    /// <summary>Every instrument of ours and of .NET's own meter that this process has.</summary>
    private static List<Instrument> Instruments()
    {
        RuntimeHelpers.RunClassConstructor(typeof(Instruments).TypeHandle);
        var found = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is Telemetry.Instruments.MeterName or "System.Runtime") found.Add(instrument);
            },
        };
        listener.Start();
        return found;
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    [GeneratedRegex(@"\b(medmerge|dotnet)_\w+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\$(\w+)")]
    private static partial Regex UsedVariable();
}

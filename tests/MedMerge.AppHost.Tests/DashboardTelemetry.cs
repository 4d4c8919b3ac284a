using System.Net.Http.Json;
using System.Text.Json;

namespace MedMerge.AppHost.Tests;

/// <summary>The telemetry that the dashboard has received, by its API.</summary>
internal sealed class DashboardTelemetry(Uri dashboard)
{
    private const int ErrorCode = 2; // OTLP's STATUS_CODE_ERROR
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FindTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Several times the exporters' delay of a second.</summary>
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromSeconds(3);

    private static readonly HttpClient Http = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The spans of a trace, or of all traces.</summary>
    public async Task<List<Span>> SpansAsync(string? trace = null)
    {
        var query = trace is null ? "" : $"&traceId={trace}";
        var address = new Uri(dashboard, $"/api/telemetry/spans?limit=100000{query}");
        var answer = await Http.GetFromJsonAsync<JsonElement>(address, Cancellation);
        return
        [
            .. from resource in answer.GetProperty("data").GetProperty("resourceSpans").EnumerateArray()
               from scope in resource.GetProperty("scopeSpans").EnumerateArray()
               from span in scope.GetProperty("spans").EnumerateArray()
               select Read(resource.GetProperty("resource"), scope, span),
        ];
    }

    /// <summary>Waits for a span of a trace, or of any trace.</summary>
    public async Task<Span> FindAsync(string? trace, Predicate<Span> matches)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var spans = await SpansAsync(trace);
            if (spans.Find(matches) is { } found) return found;
            if (TimeProvider.System.GetElapsedTime(start) > FindTimeout)
                Assert.Fail($"No such span among\n{Describe(Ours(spans))}");
            await Task.Delay(PollInterval, Cancellation);
        }
    }

    /// <summary>The trace of a sweep's first trial.</summary>
    /// <param name="sweep">How the sweep's id begins.</param>
    public async Task<string> TrialTraceAsync(string sweep) =>
        (await FindAsync(null, span => span.BelongsTo(sweep) && span.Name.StartsWith("trial 1:", StringComparison.Ordinal))).Trace;

    /// <summary>
    /// All spans of a trace whose trial has ended. Every process exports in its own time: the trace is whole when the
    /// trial's end has arrived and nothing more comes.
    /// </summary>
    public async Task<List<Span>> WholeTraceAsync(string trace)
    {
        await FindAsync(trace, span => span.Name == "evaluate done");
        var known = -1;
        while (true)
        {
            var spans = await SpansAsync(trace);
            if (spans.Count == known) return spans;
            known = spans.Count;
            await Task.Delay(QuietPeriod, Cancellation);
        }
    }

    /// <summary>Checks that every span of ours descends from a single root.</summary>
    public static void AssertConnected(List<Span> spans)
    {
        var ids = spans.Select(span => span.Id).ToHashSet();
        var ours = Ours(spans).ToList();
        Assert.Single(ours, span => span.Parent is null);
        var orphans = ours.Where(span => span.Parent is not null && !ids.Contains(span.Parent)).ToList();
        Assert.True(orphans.Count == 0, $"These have no parent:\n{Describe(orphans)}\namong\n{Describe(ours)}");
    }

    /// <summary>Without those of Orleans and the blob client, which are hundreds.</summary>
    public static IEnumerable<Span> Ours(IEnumerable<Span> spans) => spans.Where(span => span.Source == "MedMerge");

    public static string Describe(IEnumerable<Span> spans) => string.Join('\n', spans.Select(span =>
        $"{span.Trace[..6]} {span.Id} <- {span.Parent} {span.Process} {span.Source}: {span.Name} {span.Sweep}"));

    private static Span Read(JsonElement resource, JsonElement scope, JsonElement span) => new(
        Process: $"{Attribute(resource, "service.name")}-{Attribute(resource, "service.instance.id")}",
        Source: scope.TryGetProperty("scope", out var source) ? source.GetProperty("name").GetString()! : "",
        Name: span.GetProperty("name").GetString()!,
        Trace: span.GetProperty("traceId").GetString()!,
        Id: span.GetProperty("spanId").GetString()!,
        Parent: span.TryGetProperty("parentSpanId", out var parent) ? parent.GetString() : null,
        Sweep: Attribute(span, "medmerge.sweep"),
        IsError: span.TryGetProperty("status", out var status)
            && status.TryGetProperty("code", out var code)
            && code.GetInt32() == ErrorCode);

    private static string? Attribute(JsonElement owner, string name)
    {
        if (!owner.TryGetProperty("attributes", out var attributes)) return null;
        var attribute = attributes.EnumerateArray()
            .FirstOrDefault(attribute => attribute.GetProperty("key").GetString() == name);
        return attribute.ValueKind == JsonValueKind.Object
            && attribute.TryGetProperty("value", out var value)
            && value.TryGetProperty("stringValue", out var text)
                ? text.GetString()
                : null;
    }
}

/// <summary>A span that the dashboard has received.</summary>
/// <param name="Process">The replica that sent it, as the app host names it.</param>
/// <param name="Source">The activity source.</param>
/// <param name="Sweep">The sweep that it names, if any.</param>
internal sealed record Span(
    string Process,
    string Source,
    string Name,
    string Trace,
    string Id,
    string? Parent,
    string? Sweep,
    bool IsError)
{
    public bool BelongsTo(string sweep) => Sweep?.StartsWith(sweep, StringComparison.Ordinal) == true;
}

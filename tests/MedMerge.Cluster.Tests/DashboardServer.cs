using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

[assembly: AssemblyFixture(typeof(MedMerge.Cluster.Tests.DashboardServer))]

namespace MedMerge.Cluster.Tests;

/// <summary>The real Aspire dashboard, from the package.json beside these tests, on free ports, for anybody on this machine.</summary>
public sealed class DashboardServer : IAsyncLifetime
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(2); // the first start unpacks it
    private const int ErrorCode = 2; // OTLP's STATUS_CODE_ERROR
    private readonly string _home = Directory.CreateTempSubdirectory("medmerge-dashboard-").FullName;
    private readonly HttpClient _http = new();
    private readonly Lazy<Task> _start;
    private Process? _process;

    public DashboardServer() => _start = new Lazy<Task>(StartAsync);

    /// <summary>Its pages.</summary>
    public Uri Pages { get; } = new($"http://127.0.0.1:{FreePorts.Take()}");

    /// <summary>Where telemetry goes.</summary>
    public string Endpoint { get; } = $"http://127.0.0.1:{FreePorts.Take()}";

    /// <summary>What a process needs to send to it, soon.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Endpoint,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
        ["OTEL_BLRP_SCHEDULE_DELAY"] = "500",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "1000",
        ["Orleans__EnableDistributedTracing"] = "true",
    };

    private static string Program => Path.Combine(Repository.Root, "tests", "MedMerge.Cluster.Tests", "node_modules", "@microsoft", "aspire-cli-linux-x64", "bin", "aspire");

    /// <summary>Starts it, once; skips the test where it is not installed.</summary>
    public async Task RunningAsync()
    {
        if (!File.Exists(Program)) Assert.Skip("The Aspire dashboard is not installed: npm ci --prefix tests/MedMerge.Cluster.Tests");
        await _start.Value;
    }

    /// <summary>All spans of a trace, or of all traces.</summary>
    public async Task<List<SpanSeen>> SpansAsync(string? trace = null)
    {
        var answer = await _http.GetFromJsonAsync<JsonElement>(new Uri(Pages, $"/api/telemetry/spans?limit=100000{(trace is null ? "" : $"&traceId={trace}")}"), TestContext.Current.CancellationToken);
        return [.. from resource in answer.GetProperty("data").GetProperty("resourceSpans").EnumerateArray()
                   from scope in resource.GetProperty("scopeSpans").EnumerateArray()
                   from span in scope.GetProperty("spans").EnumerateArray()
                   select new SpanSeen(
                       Attribute(resource.GetProperty("resource"), "service.instance.id"), scope.TryGetProperty("scope", out var source) ? source.GetProperty("name").GetString()! : "",
                       span.GetProperty("name").GetString()!, span.GetProperty("traceId").GetString()!, span.GetProperty("spanId").GetString()!,
                       span.TryGetProperty("parentSpanId", out var parent) ? parent.GetString() : null, Attribute(span, "medmerge.sweep"),
                       span.TryGetProperty("status", out var status) && status.TryGetProperty("code", out var code) && code.GetInt32() == ErrorCode)];
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask; // most tests need none

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        Directory.Delete(_home, recursive: true);
    }

    private async Task StartAsync()
    {
        string[] arguments = ["dashboard", "run", "--allow-anonymous", "--frontend-url", Pages.ToString(), "--otlp-grpc-url", Endpoint, "--otlp-http-url", $"http://127.0.0.1:{FreePorts.Take()}"];
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in new[] { ("ASPIRE_HOME", _home), ("HOME", _home), ("ASPIRE_CLI_TELEMETRY_OPTOUT", "true"), ("NO_COLOR", "1"), ("DOTNET_gcServer", "0") }) start.Environment[key] = value;
        _process = Process.Start(start)!;
        var output = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        var time = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited) throw new InvalidOperationException($"The dashboard did not start: {await output} {await error}");
            try
            {
                if ((await _http.GetAsync(new Uri(Pages, "/api/telemetry/resources"), TestContext.Current.CancellationToken)).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // not yet
            }
            if (time.Elapsed > StartDeadline) throw new TimeoutException($"The dashboard does not answer after {StartDeadline}.");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    private static string? Attribute(JsonElement owner, string name) => owner.TryGetProperty("attributes", out var attributes)
        ? attributes.EnumerateArray().Where(attribute => attribute.GetProperty("key").GetString() == name)
            .Select(attribute => attribute.TryGetProperty("value", out var value) && value.TryGetProperty("stringValue", out var text) ? text.GetString() : null).FirstOrDefault()
        : null;
}

/// <summary>A span as the dashboard tells of it.</summary>
/// <param name="Instance">The process that sent it.</param>
/// <param name="Source">The activity source.</param>
/// <param name="Sweep">The sweep that it names, if any.</param>
public sealed record SpanSeen(string? Instance, string Source, string Name, string Trace, string Id, string? Parent, string? Sweep, bool IsError);

using System.Globalization;
using System.Net;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;

namespace MedMerge.Cli;

/// <summary>A gateway's schedules, and the benchmarks that they are.</summary>
/// <inheritdoc cref="GatewayClient(string)" path="/param" />
internal sealed class ScheduleClient(string address) : GatewayClient(address)
{
    /// <summary>Adds a schedule.</summary>
    /// <param name="body">As the gateway's API has it.</param>
    public Task<ScheduleStatus> AddScheduleAsync(object body, CancellationToken cancellation) =>
        SendAsync<ScheduleStatus>(HttpMethod.Post, "schedules", body, cancellation);

    /// <summary>Lists all schedules.</summary>
    public Task<List<ScheduleStatus>> ListSchedulesAsync(CancellationToken cancellation) =>
        GetAsync<List<ScheduleStatus>>("schedules", cancellation);

    /// <summary>Gets a schedule.</summary>
    public Task<ScheduleStatus> GetScheduleAsync(string name, CancellationToken cancellation) =>
        GetAsync<ScheduleStatus>(GetSchedulePath(name), cancellation);

    /// <summary>Pauses or resumes a schedule.</summary>
    /// <param name="verb"><c>pause</c> or <c>resume</c>.</param>
    public Task<ScheduleStatus> ControlScheduleAsync(string name, string verb, CancellationToken cancellation) =>
        ReadAsync<ScheduleStatus>(new HttpRequestMessage(HttpMethod.Post, $"{GetSchedulePath(name)}/{verb}"), cancellation);

    /// <summary>Runs a schedule now.</summary>
    /// <returns>The id of the sweep, which a node submits within seconds.</returns>
    public async Task<string> RunScheduleAsync(string name, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{GetSchedulePath(name)}/run-now");
        return (await ReadAsync<SubmittedRun>(request, cancellation)).Sweep;
    }

    /// <summary>Removes a schedule.</summary>
    public async Task RemoveScheduleAsync(string name, CancellationToken cancellation) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Delete, GetSchedulePath(name)), cancellation)).Dispose();

    /// <summary>Lists all benchmarks.</summary>
    public Task<List<BenchmarkSummary>> ListBenchmarksAsync(CancellationToken cancellation) =>
        GetAsync<List<BenchmarkSummary>>("benchmarks", cancellation);

    /// <summary>Gets the last runs of a benchmark.</summary>
    public Task<BenchmarkHistory> GetBenchmarkAsync(string name, int runs, CancellationToken cancellation) =>
        GetAsync<BenchmarkHistory>($"{GetBenchmarkPath(name)}?runs={runs}", cancellation);

    /// <summary>Compares two runs of a benchmark.</summary>
    /// <param name="from">Null for the last accepted run before the other.</param>
    /// <param name="to">Null for the last run.</param>
    public Task<BenchmarkDiff> DiffBenchmarkAsync(string name, string? from, string? to, CancellationToken cancellation)
    {
        var path = $"{GetBenchmarkPath(name)}/diff{WriteQuery(("from", from), ("to", to))}";
        return GetAsync<BenchmarkDiff>(path, cancellation);
    }

    /// <summary>Checks a run of a benchmark.</summary>
    /// <param name="run">Its id, or its sweep's; null for the last.</param>
    /// <param name="slower">By what share stages may be slower; null for what the nodes have.</param>
    /// <returns>Null where there is no such run.</returns>
    public async Task<BenchmarkCheck?> FindCheckAsync(string name, string? run, double? slower, CancellationToken cancellation)
    {
        var query = WriteQuery(("run", run), ("slower", slower?.ToString(CultureInfo.InvariantCulture)));
        var path = $"{GetBenchmarkPath(name)}/check{query}";
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation, HttpStatusCode.NotFound);
        return response.IsSuccessStatusCode ? await ReadAsync<BenchmarkCheck>(response, cancellation) : null;
    }

    /// <summary>Accepts a run of a benchmark.</summary>
    /// <param name="run">Null for the last.</param>
    public Task<BenchmarkCheck> AcceptBenchmarkAsync(string name, string? run, CancellationToken cancellation)
    {
        var path = $"{GetBenchmarkPath(name)}/accept{WriteQuery(("run", run))}";
        return ReadAsync<BenchmarkCheck>(new HttpRequestMessage(HttpMethod.Post, path), cancellation);
    }

    private static string GetBenchmarkPath(string name) => $"benchmarks/{Uri.EscapeDataString(name)}";

    private static string GetSchedulePath(string name) => $"schedules/{Uri.EscapeDataString(name)}";

    private sealed record SubmittedRun(string Sweep);
}

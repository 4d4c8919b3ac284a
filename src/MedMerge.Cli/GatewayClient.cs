using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MedMerge.Grains;
using MedMerge.Reporting;

namespace MedMerge.Cli;

/// <summary>A gateway's HTTP API, as far as the command needs it.</summary>
internal sealed partial class GatewayClient : IDisposable
{
    private const string KeyVariable = "MEDMERGE_API_KEY", KeyHeader = "X-Api-Key", TokenVariable = "MEDMERGE_TOKEN";

    /// <summary>The gateway sends an event every five seconds at least.</summary>
    private static readonly TimeSpan TimeSinceProgress = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private readonly HttpClient _http;

    /// <param name="address">Its http or https address.</param>
    /// <exception cref="InputException">It is none.</exception>
    public GatewayClient(string address)
    {
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
            throw new InputException($"The gateway's address '{address}' must look like http://127.0.0.1:8080.");
        // No deadline for a whole request: a large file may take long.
        _http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout }) { BaseAddress = new Uri(parsed, "api/v1/"), Timeout = Timeout.InfiniteTimeSpan };
        Send(KeyVariable, KeyHeader, key => key);
        Send(TokenVariable, "Authorization", token => $"Bearer {token}");
    }

    /// <summary>How the gateway writes JSON.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals | JsonNumberHandling.AllowReadingFromString,
        WriteIndented = true,
    };

    /// <summary>Whether the gateway has a file.</summary>
    public async Task<bool> HasFileAsync(string sha256, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Head, $"files/{sha256}"), cancellation, HttpStatusCode.NotFound);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Uploads a file.</summary>
    public async Task UploadAsync(string sha256, byte[] content, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"files/{sha256}") { Content = new ByteArrayContent(content) };
        request.Headers.ExpectContinue = true; // a refusal comes before the file is sent
        (await SendAsync(request, cancellation)).Dispose();
    }

    /// <summary>Submits a specification.</summary>
    /// <param name="files">The files that it names, by path as written, as <c>sha256:HASH/NAME</c>.</param>
    public Task<SweepStatus> SubmitAsync(string specification, IReadOnlyDictionary<string, string> files, CancellationToken cancellation) =>
        ReadAsync<SweepStatus>(new HttpRequestMessage(HttpMethod.Post, "sweeps") { Content = JsonContent.Create(new { specification, files }, options: Json) }, cancellation);

    /// <summary>All sweeps.</summary>
    public Task<List<SweepSummary>> ListAsync(CancellationToken cancellation) => ReadAsync<List<SweepSummary>>(new HttpRequestMessage(HttpMethod.Get, "sweeps"), cancellation);

    /// <summary>Where a sweep is.</summary>
    public Task<SweepStatus> StatusAsync(string id, CancellationToken cancellation) => ReadAsync<SweepStatus>(new HttpRequestMessage(HttpMethod.Get, Of(id)), cancellation);

    /// <summary>Pauses, resumes or cancels a sweep.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c> or <c>cancel</c>.</param>
    public Task<SweepStatus> SteerAsync(string id, string verb, CancellationToken cancellation) => ReadAsync<SweepStatus>(new HttpRequestMessage(HttpMethod.Post, $"{Of(id)}/{verb}"), cancellation);

    /// <summary>The scenarios of a sweep that have a result.</summary>
    /// <exception cref="GatewayException">One's folder would lead out of the output folder.</exception>
    public async Task<List<ScenarioFolder>> ScenariosAsync(string id, CancellationToken cancellation)
    {
        var scenarios = await ReadAsync<List<ScenarioFolder>>(new HttpRequestMessage(HttpMethod.Get, $"{Of(id)}/scenarios"), cancellation);
        CheckPaths(scenarios.Select(scenario => scenario.Folder.TrimEnd('/')).Where(folder => folder.Length > 0));
        return scenarios;
    }

    /// <summary>A scenario's results.</summary>
    /// <param name="format"><c>json</c>, <c>csv</c> or <c>md</c>.</param>
    public async Task<string> ResultsAsync(string id, string scenario, string format, CancellationToken cancellation)
    {
        var address = $"{Of(id)}/results?format={format}&scenario={Uri.EscapeDataString(scenario)}";
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, address), cancellation);
        return await response.Content.ReadAsStringAsync(cancellation);
    }

    /// <summary>The names of a sweep's models, as paths in an output folder.</summary>
    /// <exception cref="GatewayException">One would lead out of the folder.</exception>
    public async Task<List<string>> ModelsAsync(string id, CancellationToken cancellation)
    {
        var names = await ReadAsync<List<string>>(new HttpRequestMessage(HttpMethod.Get, $"{Of(id)}/models"), cancellation);
        CheckPaths(names);
        return names;
    }

    /// <summary>A model's bytes.</summary>
    public async Task<byte[]> ModelAsync(string id, string name, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{Of(id)}/models/{name}"), cancellation);
        return await response.Content.ReadAsByteArrayAsync(cancellation);
    }

    /// <summary>A sweep's states, with every change until it has ended or the connection breaks.</summary>
    public async IAsyncEnumerable<SweepStatus> EventsAsync(string id, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{Of(id)}/events"), cancellation);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var events = SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<SweepStatus>(data, Json)!).EnumerateAsync(silence.Token).GetAsyncEnumerator(CancellationToken.None);
        await using (events)
        {
            while (await NextAsync()) yield return events.Current.Data;
        }

        async Task<bool> NextAsync()
        {
            silence.CancelAfter(TimeSinceProgress);
            try
            {
                return await events.MoveNextAsync();
            }
            catch (Exception error) when (error is IOException or JsonException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private void Send(string variable, string header, Func<string, string> value)
    {
        if (Environment.GetEnvironmentVariable(variable)?.Trim() is not { Length: > 0 } secret) return;
        if (!_http.DefaultRequestHeaders.TryAddWithoutValidation(header, value(secret))) throw new InputException($"{variable} holds a character that none can.");
    }

    [GeneratedRegex(@"\A(?!.*\.\.)[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*\z")]
    private static partial Regex ModelName();

    private void CheckPaths(IEnumerable<string> paths)
    {
        if (paths.FirstOrDefault(path => !ModelName().IsMatch(path)) is { } strange)
            throw new GatewayException($"The gateway at {_http.BaseAddress} names a path '{strange}', which is none in a folder.");
    }

    private static string Of(string id) => $"sweeps/{Uri.EscapeDataString(id)}";

    private async Task<T> ReadAsync<T>(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var response = await SendAsync(request, cancellation);
        try
        {
            return (await response.Content.ReadFromJsonAsync<T>(Json, cancellation))!;
        }
        catch (Exception error) when (error is JsonException or IOException or HttpRequestException)
        {
            throw new GatewayException($"What answers at {_http.BaseAddress} is no gateway of this version, or broke off: {error.Message}", error);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation, HttpStatusCode? expected = null)
    {
        HttpResponseMessage response;
        using (request)
        {
            try
            {
                response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            }
            catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                throw new GatewayException($"The gateway at {_http.BaseAddress!.GetLeftPart(UriPartial.Authority)} can't be reached: {error.Message} Name it with --gateway or MEDMERGE_GATEWAY.", error);
            }
        }
        if (response.IsSuccessStatusCode || response.StatusCode == expected) return response;
        using (response) throw await ProblemAsync(response, cancellation);
    }

    private async Task<Exception> ProblemAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var gateway = _http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        if (response.StatusCode == HttpStatusCode.Unauthorized) return new InputException($"The gateway at {gateway} asks for a key or a token, and {Given()}. Set {KeyVariable}, or {TokenVariable} to a token of its identity provider.");
        var detail = await DetailAsync(response, cancellation);
        return response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.Forbidden
            ? new InputException(detail ?? $"The gateway at {gateway} answered {(int)response.StatusCode} ({response.ReasonPhrase}).")
            : new GatewayException($"The gateway at {gateway} answered {(int)response.StatusCode}: {detail ?? response.ReasonPhrase}");
    }

    private string Given() => _http.DefaultRequestHeaders.Contains(KeyHeader) || _http.DefaultRequestHeaders.Authorization is not null ? "does not know the one that was sent" : "none was sent";

    private static async Task<string?> DetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            return problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
        }
        catch (Exception error) when (error is JsonException or IOException or HttpRequestException or InvalidOperationException)
        {
            return null; // something else answers there
        }
    }
}

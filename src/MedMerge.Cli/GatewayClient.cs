using System.Globalization;
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

/// <summary>The part of a gateway's HTTP API that the command uses.</summary>
internal partial class GatewayClient : IDisposable
{
    private const string KeyVariable = "MEDMERGE_API_KEY";
    private const string KeyHeader = "X-Api-Key";
    private const string TokenVariable = "MEDMERGE_TOKEN";
    private const string TokenHeader = "Authorization";

    /// <summary>The name of events with trials; the others are a status.</summary>
    private const string TrialsEvent = "trials";

    /// <summary>How long an event stream may be silent; the gateway sends at least one event every five seconds.</summary>
    private static readonly TimeSpan EventTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private readonly HttpClient _http;

    /// <param name="address">The gateway's http or https address.</param>
    /// <exception cref="InputException">The address, or a credential in the environment, is invalid.</exception>
    public GatewayClient(string address)
    {
        var isAddress = Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var parsed);
        if (!isAddress || parsed!.Scheme is not ("http" or "https"))
            throw new InputException($"The gateway's address '{address}' must look like http://127.0.0.1:8080.");
        var connections = new SocketsHttpHandler { ConnectTimeout = ConnectTimeout };
        _http = new HttpClient(new RetryAfterHandler(TimeProvider.System) { InnerHandler = connections })
        {
            BaseAddress = new Uri(parsed, "api/v1/"),
            Timeout = Timeout.InfiniteTimeSpan, // a large file may take long
        };
        AddCredential(KeyVariable, KeyHeader, key => key);
        AddCredential(TokenVariable, TokenHeader, token => $"Bearer {token}");
    }

    /// <summary>The gateway's JSON format.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals | JsonNumberHandling.AllowReadingFromString,
        WriteIndented = true,
    };

    private string Authority => _http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    /// <summary>Whether the gateway has a file, and all of it.</summary>
    public async Task<bool> HasFileAsync(string sha256, long length, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Head, $"files/{sha256}");
        using var response = await SendAsync(request, cancellation, HttpStatusCode.NotFound);
        return response.IsSuccessStatusCode && (response.Content.Headers.ContentLength ?? length) == length;
    }

    /// <summary>Uploads a file.</summary>
    public async Task UploadAsync(string sha256, byte[] content, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"files/{sha256}") { Content = new ByteArrayContent(content) };
        request.Headers.ExpectContinue = true; // a refusal arrives before the file is sent
        (await SendAsync(request, cancellation)).Dispose();
    }

    /// <summary>Submits a specification.</summary>
    /// <param name="files">Uploaded files as <c>sha256:HASH/NAME</c>, keyed by the path written in the specification.</param>
    public Task<SweepStatus> SubmitAsync(
        string specification,
        IReadOnlyDictionary<string, string> files,
        CancellationToken cancellation)
    {
        return SendAsync<SweepStatus>(HttpMethod.Post, "sweeps", new { specification, files }, cancellation);
    }

    /// <summary>Lists sweeps, newest first.</summary>
    public Task<List<SweepSummary>> ListAsync(int limit, CancellationToken cancellation) =>
        GetAsync<List<SweepSummary>>($"sweeps?limit={limit}", cancellation);

    /// <summary>Gets a sweep's trials, page by page.</summary>
    /// <param name="state">Only those in this state; null for all.</param>
    public async IAsyncEnumerable<TrialSummary> GetTrialsAsync(
        string id,
        WorkState? state,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var filter = state is null ? "" : $"&state={state}";
        for (int? from = 1; from is not null;)
        {
            var page = await GetAsync<TrialPage>($"{GetPath(id)}/trials?from={from}{filter}", cancellation);
            foreach (var trial in page.Trials) yield return trial;
            from = page.Next;
        }
    }

    /// <summary>Tries trials again that have ended without a result.</summary>
    /// <param name="trials">Their numbers; empty for all.</param>
    /// <param name="kind">Only those that failed of this kind; null for any.</param>
    public Task<SweepStatus> RetryAsync(string id, IReadOnlyList<int> trials, FailureKind? kind, CancellationToken cancellation) =>
        SendAsync<SweepStatus>(HttpMethod.Post, $"{GetPath(id)}/retry", new { trials, kind }, cancellation);

    /// <summary>Stops a trial, or does not begin it.</summary>
    public Task<SweepStatus> SkipAsync(string id, int trial, CancellationToken cancellation) =>
        ReadAsync<SweepStatus>(new HttpRequestMessage(HttpMethod.Post, $"{GetPath(id)}/trials/{trial}/skip"), cancellation);

    /// <summary>Changes how much of a sweep may run; null leaves a limit as it is, and 0 removes it.</summary>
    public Task<SweepStatus> LimitAsync(
        string id,
        int? parallel,
        int? priority,
        int? trials,
        double? deviceHours,
        CancellationToken cancellation) =>
        SendAsync<SweepStatus>(HttpMethod.Patch, $"{GetPath(id)}/limits", new { parallel, priority, trials, deviceHours }, cancellation);

    /// <summary>Has a sweep take a larger specification.</summary>
    /// <inheritdoc cref="SubmitAsync" path="/param[@name='files']" />
    public Task<SweepStatus> ExtendAsync(
        string id,
        string specification,
        IReadOnlyDictionary<string, string> files,
        CancellationToken cancellation) =>
        SendAsync<SweepStatus>(HttpMethod.Post, $"{GetPath(id)}/extend", new { specification, files }, cancellation);

    /// <summary>Removes a sweep.</summary>
    public async Task RemoveAsync(string id, CancellationToken cancellation) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Delete, GetPath(id)), cancellation)).Dispose();

    /// <summary>Gets the status of a sweep.</summary>
    public Task<SweepStatus> GetStatusAsync(string id, CancellationToken cancellation) =>
        GetAsync<SweepStatus>(GetPath(id), cancellation);

    /// <summary>Pauses, resumes or cancels a sweep.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c> or <c>cancel</c>.</param>
    public Task<SweepStatus> ControlAsync(string id, string verb, CancellationToken cancellation) =>
        ReadAsync<SweepStatus>(new HttpRequestMessage(HttpMethod.Post, $"{GetPath(id)}/{verb}"), cancellation);

    /// <summary>Lists the scenarios of a sweep that have results.</summary>
    /// <exception cref="GatewayException">A scenario's folder would be outside the output folder.</exception>
    public async Task<List<ScenarioFolder>> ListScenariosAsync(string id, CancellationToken cancellation)
    {
        var scenarios = await GetAsync<List<ScenarioFolder>>($"{GetPath(id)}/scenarios", cancellation);
        CheckPaths(scenarios.Select(scenario => scenario.Folder.TrimEnd('/')).Where(folder => folder.Length > 0));
        return scenarios;
    }

    /// <summary>Gets the results of a scenario, or of all together.</summary>
    /// <param name="scenario">Null for all together.</param>
    /// <param name="format">Of <see cref="OutputFiles.Results"/> or, without a scenario, <see cref="OutputFiles.SweepResults"/>.</param>
    public async Task<byte[]> GetResultsAsync(string id, string? scenario, string format, CancellationToken cancellation)
    {
        var choice = scenario is null ? "" : $"&scenario={Uri.EscapeDataString(scenario)}";
        var request = new HttpRequestMessage(HttpMethod.Get, $"{GetPath(id)}/results?format={format}{choice}");
        using var response = await SendAsync(request, cancellation);
        return await response.Content.ReadAsByteArrayAsync(cancellation);
    }

    /// <summary>Lists the files that a sweep exports, as paths in an output folder.</summary>
    /// <exception cref="GatewayException">A path would be outside the folder.</exception>
    public async Task<List<string>> ListModelsAsync(string id, CancellationToken cancellation)
    {
        var names = await GetAsync<List<string>>($"{GetPath(id)}/models", cancellation);
        CheckPaths(names);
        return names;
    }

    /// <summary>Downloads an exported file.</summary>
    public async Task<byte[]> GetModelAsync(string id, string name, CancellationToken cancellation)
    {
        var path = string.Join('/', name.Split('/').Select(Uri.EscapeDataString));
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{GetPath(id)}/models/{path}"), cancellation);
        return await response.Content.ReadAsByteArrayAsync(cancellation);
    }

    /// <summary>Streams a sweep's status on every change, until the sweep ends or the connection is lost.</summary>
    /// <param name="trials">Whether trials that have changed are streamed too; to begin with, all.</param>
    public async IAsyncEnumerable<SweepEvent> StreamEventsAsync(
        string id,
        bool trials,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var path = $"{GetPath(id)}/events?trials={(trials ? "true" : "false")}";
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var parser = SseParser.Create(stream, ReadEvent);
        await using var events = parser.EnumerateAsync(timeout.Token).GetAsyncEnumerator(CancellationToken.None);
        while (await MoveNextAsync()) yield return events.Current.Data;

        async Task<bool> MoveNextAsync()
        {
            timeout.CancelAfter(EventTimeout);
            try
            {
                return await events.MoveNextAsync();
            }
            catch (Exception error) when (error is IOException || IsTimeout(error, cancellation))
            {
                return false;
            }
            catch (JsonException error)
            {
                throw new GatewayException(
                    $"The events from {Authority} were cut off or are not from a gateway of this version: {error.Message}",
                    error);
            }
        }
    }

    private static SweepEvent ReadEvent(string type, ReadOnlySpan<byte> data) => type == TrialsEvent
        ? new SweepEvent(null, JsonSerializer.Deserialize<List<TrialSummary>>(data, Json)!)
        : new SweepEvent(JsonSerializer.Deserialize<SweepStatus>(data, Json)!, []);

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    /// <summary>A query of the values that are given.</summary>
    protected static string WriteQuery(params (string Key, string? Value)[] values)
    {
        var given = values.Where(value => value.Value is not null).Select(value => $"{value.Key}={Uri.EscapeDataString(value.Value!)}");
        return "?" + string.Join('&', given);
    }

    private static string GetPath(string id) => $"sweeps/{Uri.EscapeDataString(id)}";

    /// <summary>Whether a request was cancelled by a timeout instead of by the user.</summary>
    private static bool IsTimeout(Exception error, CancellationToken cancellation) =>
        error is OperationCanceledException && !cancellation.IsCancellationRequested;

    private void AddCredential(string variable, string header, Func<string, string> format)
    {
        if (Environment.GetEnvironmentVariable(variable)?.Trim() is not { Length: > 0 } secret) return;
        if (!_http.DefaultRequestHeaders.TryAddWithoutValidation(header, format(secret)))
            throw new InputException($"{variable} contains a character that is not allowed in an HTTP header.");
    }

    /// <summary>
    /// No segment is <c>.</c> or <c>..</c>; names like <c>v1..2</c> are a source's to choose. Scenarios are called
    /// <c>breast, a and b, fineTune.epochs=4</c>.
    /// </summary>
    [GeneratedRegex(@"\A(?!(.*/)?\.\.?(/|\z))[A-Za-z0-9._-]+([,= ]+[A-Za-z0-9._-]+)*(/[A-Za-z0-9._-]+([,= ]+[A-Za-z0-9._-]+)*)*\z")]
    private static partial Regex RelativePathPattern();

    /// <summary>Whether a path that a gateway sent stays inside the folder it is meant for.</summary>
    internal static bool IsInsideFolder(string path) => RelativePathPattern().IsMatch(path);

    private void CheckPaths(IEnumerable<string> paths)
    {
        if (paths.FirstOrDefault(path => !IsInsideFolder(path)) is { } invalid)
            throw new GatewayException($"The gateway at {_http.BaseAddress} sent the path '{invalid}', which is not inside a folder.");
    }

    protected Task<T> SendAsync<T>(HttpMethod method, string path, object body, CancellationToken cancellation) =>
        ReadAsync<T>(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, options: Json) }, cancellation);

    protected Task<T> GetAsync<T>(string path, CancellationToken cancellation) =>
        ReadAsync<T>(new HttpRequestMessage(HttpMethod.Get, path), cancellation);

    protected async Task<T> ReadAsync<T>(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var response = await SendAsync(request, cancellation);
        return await ReadAsync<T>(response, cancellation);
    }

    protected async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            return (await response.Content.ReadFromJsonAsync<T>(Json, cancellation))!;
        }
        catch (Exception error) when (error is JsonException or IOException or HttpRequestException)
        {
            throw new GatewayException(
                $"The answer from {_http.BaseAddress} was cut off or is not from a gateway of this version: {error.Message}",
                error);
        }
    }

    protected async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellation,
        HttpStatusCode? expected = null)
    {
        HttpResponseMessage response;
        using (request)
        {
            try
            {
                response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            }
            catch (Exception error) when (error is HttpRequestException or IOException || IsTimeout(error, cancellation))
            {
                throw new GatewayException(
                    $"The gateway at {Authority} can't be reached: {error.Message} Name it with --gateway or MEDMERGE_GATEWAY.",
                    error);
            }
        }
        if (response.IsSuccessStatusCode || response.StatusCode == expected) return response;
        using (response) throw await CreateExceptionAsync(response, cancellation);
    }

    private async Task<Exception> CreateExceptionAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.StatusCode == HttpStatusCode.Unauthorized) return CreateUnauthorizedException();
        var detail = await ReadDetailAsync(response, cancellation);
        var status = (int)response.StatusCode;
        if (IsInputError(response.StatusCode))
            return new InputException(detail ?? $"The gateway at {Authority} answered {status} ({response.ReasonPhrase}).");
        return new GatewayException($"The gateway at {Authority} answered {status}: {detail ?? response.ReasonPhrase}");
    }

    private InputException CreateUnauthorizedException()
    {
        var headers = _http.DefaultRequestHeaders;
        var isSent = headers.Contains(KeyHeader) || headers.Authorization is not null;
        var reason = isSent ? "does not accept the one that was sent" : "none was sent";
        return new InputException(
            $"The gateway at {Authority} requires a key or a token, and {reason}. " +
            $"Set {KeyVariable}, or {TokenVariable} to a token of its identity provider.");
    }

    private static bool IsInputError(HttpStatusCode status) => status is
        HttpStatusCode.BadRequest or
        HttpStatusCode.NotFound or
        HttpStatusCode.RequestEntityTooLarge or
        HttpStatusCode.Forbidden;

    /// <summary>The detail of a problem response; null where something other than a gateway answered.</summary>
    private static async Task<string?> ReadDetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            var hasDetail = problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("detail", out _);
            return hasDetail ? problem.GetProperty("detail").GetString() : null;
        }
        catch (Exception error) when (error is JsonException or IOException or HttpRequestException or InvalidOperationException)
        {
            return null;
        }
    }
}

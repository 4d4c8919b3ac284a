using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using MedMerge.Cli.Tests;

namespace MedMerge.Gateway.Tests;

/// <summary>Clients that mean harm, or are broken: they get an answer of their own, and harm nobody else.</summary>
public sealed class HostileClientTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task Without_a_known_key_nothing_is_told_but_health_and_the_description(string? key)
    {
        using var client = new HttpClient { BaseAddress = gateway.Address };
        if (key is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("X-Api-Key", key);
        foreach (var path in new[] { "sweeps", "sweeps/x", "sweeps/x/events", "sweeps/x/results", "nodes" })
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync($"/api/v1/{path}", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PutAsync($"/api/v1/files/{new string('0', 64)}", new ByteArrayContent([1]), Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PostAsJsonAsync("/api/v1/sweeps", new { specification = "" }, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);
        Assert.Contains("/api/v1/sweeps", await client.GetStringAsync("/openapi/v1.json", Cancellation), StringComparison.Ordinal);
    }

    /// <summary>Orleans' dashboard is behind the same key. A browser asks its user for it, and that is good for looking only.</summary>
    [Fact]
    public async Task Pages_ask_a_browser_for_the_key_which_is_good_for_looking_only()
    {
        using var browser = new HttpClient { BaseAddress = gateway.Address };
        browser.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "text/html");
        foreach (var path in new[] { "/orleans/", "/orleans/index.min.js", "/orleans/DashboardCounters", "/orleans/Trace" })
        {
            using var refused = await browser.GetAsync(path, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Equal("Basic", refused.Headers.WwwAuthenticate.Single().Scheme);
        }
        Assert.Empty((await gateway.Client.GetAsync("/orleans/", Cancellation)).Headers.WwwAuthenticate);

        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(HttpMethod.Get, "/orleans/", "wrong"));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Get, "/orleans/", RunningGateway.Key));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(HttpMethod.Get, "/api/v1/sweeps", RunningGateway.Key));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(HttpMethod.Post, "/api/v1/sweeps", RunningGateway.Key));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(HttpMethod.Put, $"/api/v1/files/{new string('0', 64)}", RunningGateway.Key));

        async Task<HttpStatusCode> SendAsync(HttpMethod method, string path, string password)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"anybody:{password}")));
            return (await browser.SendAsync(request, Cancellation)).StatusCode;
        }
    }

    [Fact]
    public async Task What_is_too_large_is_refused()
    {
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SubmitAsync("# " + new string('x', 1024 * 1024))).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SubmitAsync(new string('x', 9 * 1024 * 1024))).Status);
        using var file = new ByteArrayContent(new byte[1024 * 1024 + 1]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await gateway.Client.PutAsync($"/api/v1/files/{new string('0', 64)}", file, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task A_file_is_kept_under_the_hash_of_its_content_only()
    {
        byte[] content = [1, 2, 3];
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.Equal(HttpStatusCode.NotFound, await HeadAsync(hash));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(new string('a', 64), content));
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(hash, content));
        Assert.Equal(HttpStatusCode.OK, await HeadAsync(hash));
        foreach (var name in new[] { hash.ToUpperInvariant(), "x", "..%2f..%2fx", "%00" }) Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(name, content));
    }

    [Theory]
    [InlineData("/api/v1/sweeps/../x")]
    [InlineData("/api/v1/sweeps/%2e%2e")]
    [InlineData("/api/v1/sweeps/%2e%2e%2fartefacts")]
    [InlineData("/api/v1/sweeps/..%5cx/results")]
    [InlineData("/api/v1/sweeps/X/pause")]
    [InlineData("/api/v1/sweeps/a%00b")]
    public async Task Paths_for_ids_lead_nowhere(string path)
    {
        // As raw bytes, for HttpClient tidies paths up.
        foreach (var method in new[] { "GET", "POST" })
        {
            var answer = await SendRawAsync($"{method} {path} HTTP/1.1\r\nHost: {gateway.Address.Authority}\r\nX-Api-Key: {RunningGateway.Key}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            Assert.Matches("^HTTP/1.1 (400|404|405) ", answer);
        }
    }

    [Theory]
    [InlineData("/etc/passwd", null, "line 2: 'target.data': the file '/etc/passwd' was not sent along")]
    [InlineData("../store/.lock", null, "was not sent along")]
    [InlineData("data.npz", "/etc/passwd", "which is not sha256:HASH/NAME")]
    [InlineData("data.npz", "sha256:0000000000000000000000000000000000000000000000000000000000000000/../x", "which is not sha256:HASH/NAME")]
    [InlineData("data.npz", "sha256:0000000000000000000000000000000000000000000000000000000000000000/", "which is not sha256:HASH/NAME")]
    [InlineData("data.npz", "sha256:0000000000000000000000000000000000000000000000000000000000000000/data.npz", "was not uploaded")]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000/data.npz", null, "was not uploaded")]
    public async Task Only_files_that_were_sent_are_read(string path, string? sentAs, string expected)
    {
        var yaml = TinySpecification.Yaml("[medmerge]").Replace("target: { data: 'phantom:lesions', trainImages: 24 }", $"target: {{ data: '{path}' }}", StringComparison.Ordinal);
        var files = sentAs is null ? [] : new Dictionary<string, string> { [path] = sentAs };
        var (status, detail) = await SubmitAsync(yaml, files);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(expected, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("seeds: 1", "seeds: [{0}]", "'seeds' lists 5000; there may be 1000")]
    [InlineData("methods: [medmerge]", "methods: [all]\nunknown: [{0}]", "there is no key 'unknown'")]
    public async Task Small_texts_that_unfold_to_much_are_refused(string old, string replacement, string expected)
    {
        var numbers = string.Join(",", Enumerable.Range(0, 5000));
        var (status, detail) = await SubmitAsync(TinySpecification.Yaml("[medmerge]").Replace(old, replacement.Replace("{0}", numbers, StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(expected, detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thousand_malformed_requests_are_the_clients_fault()
    {
        var valid = JsonSerializer.Serialize(new { specification = TinySpecification.Yaml("[medmerge]"), files = new Dictionary<string, string> { ["a"] = "b" } });
        var number = OneOf("1e999", "-0", "123456789012345678901234567890", "NaN", "true", "[]", "{}", "null", "\"\\ud800\"", "\"\\u0000\"", "0x1", "\"\"");
        var body = Gen.OneOf(
            Gen.Byte.Array[0, 400],
            Gen.Int[0, valid.Length - 1].Select(length => Encoding.UTF8.GetBytes(valid[..length])),
            Gen.Int[1, 30_000].Select(depth => Encoding.UTF8.GetBytes(new string('[', depth))),
            Gen.Int[1, 5_000].Select(depth => Encoding.UTF8.GetBytes("{\"specification\":" + string.Concat(Enumerable.Repeat("{\"a\":", depth)))),
            Gen.Int[1, 20_000].Select(depth => JsonSerializer.SerializeToUtf8Bytes(new { specification = "target: " + new string('[', depth) })),
            number.Select(value => Encoding.UTF8.GetBytes($"{{\"specification\":{value}}}")),
            number.Select(number, (one, other) => Encoding.UTF8.GetBytes($"{{\"specification\":\"a: 1\",\"files\":{{\"x\":{one},\"y\":{other}}}}}")),
            number.Select(value => JsonSerializer.SerializeToUtf8Bytes(new { specification = TinySpecification.Yaml(value) + $"\nseeds: {value}" })),
            Gen.Int[0, valid.Length - 30].Select(Gen.Char, (at, letter) => JsonSerializer.SerializeToUtf8Bytes(new { specification = TinySpecification.Yaml("[medmerge]").Insert(at % 300, $"{letter}\u0001") })),
            Gen.String[0, 300].Select(text => JsonSerializer.SerializeToUtf8Bytes(new { specification = text })));
        var type = OneOf("application/json", "application/json; charset=utf-16", "text/plain", "application/xml");
        var target = Gen.Frequency((8, Gen.Const("/api/v1/sweeps")), (1, Gen.Const("/api/v1/files/" + new string('0', 64))), (1, Gen.Const("/api/v1/sweeps/none/cancel")));

        var failure = await Record.ExceptionAsync(() => Gen.Select(body, type, target).SampleAsync(async (bytes, mediaType, path) =>
        {
            using var content = new ByteArrayContent(bytes);
            content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
            using var request = new HttpRequestMessage(path.Contains("files", StringComparison.Ordinal) ? HttpMethod.Put : HttpMethod.Post, path) { Content = content };
            using var response = await gateway.Client.SendAsync(request, Cancellation);
            if ((int)response.StatusCode is < 400 or >= 500) throw new InvalidOperationException($"{path} answered {(int)response.StatusCode} to {Encoding.UTF8.GetString(bytes)}: {await response.Content.ReadAsStringAsync(Cancellation)}");
        }, iter: 1000, threads: 2));

        Assert.True(failure is null, $"{failure}"); // it names the seed
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/ready", Cancellation)).StatusCode);
        Assert.Equal("[]", (await gateway.Client.GetStringAsync("/api/v1/sweeps", Cancellation)).Trim());
    }

    [Theory]
    [InlineData("POST /api/v1/sweeps HTTP/1.1\r\nHost: {0}\r\nX-Api-Key: {1}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")]
    [InlineData("PUT /api/v1/files/0000000000000000000000000000000000000000000000000000000000000000 HTTP/1.1\r\nHost: {0}\r\nX-Api-Key: {1}\r\nContent-Length: 1000\r\n\r\n")]
    [InlineData("GET /api/v1/sweeps HTTP/1.1\r\nHost: {0}\r\nX-Slow: ")]
    public async Task A_slow_client_is_cut_while_others_are_served(string start)
    {
        using var slow = new TcpClient();
        await slow.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, Cancellation);
        var stream = slow.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Format(null, start, gateway.Address.Authority, RunningGateway.Key)), Cancellation);
        var answer = ReadToEndAsync(stream);
        var served = 0;
        for (var second = 0; !answer.IsCompleted && second < 30; second++)
        {
            try
            {
                await stream.WriteAsync(" "u8.ToArray(), Cancellation);
            }
            catch (IOException)
            {
                break; // cut
            }
            Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/api/v1/sweeps", Cancellation)).StatusCode);
            served++;
            await Task.WhenAny(answer, Task.Delay(1000, Cancellation));
        }
        Assert.True(served is > 2 and < 30, $"{served} others were served before the cut.");
        Assert.DoesNotContain("HTTP/1.1 200", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_are_listed_with_their_devices()
    {
        var nodes = await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/nodes", Cancellation);
        Assert.Equal(("Active", "cpu"), (nodes[0].GetProperty("status").GetString(), nodes[0].GetProperty("device").GetString()));
    }

    private async Task<(HttpStatusCode Status, string Detail)> SubmitAsync(string specification, Dictionary<string, string>? files = null)
    {
        using var response = await gateway.Client.PostAsJsonAsync("/api/v1/sweeps", new { specification, files }, Cancellation);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return (response.StatusCode, problem.TryGetProperty("detail", out var detail) ? detail.GetString()! : "");
    }

    private async Task<HttpStatusCode> HeadAsync(string hash) => (await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/v1/files/{hash}"), Cancellation)).StatusCode;

    private async Task<HttpStatusCode> PutAsync(string name, byte[] content) => (await gateway.Client.PutAsync($"/api/v1/files/{name}", new ByteArrayContent(content), Cancellation)).StatusCode;

    private async Task<string> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, Cancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);
        return await ReadToEndAsync(client.GetStream());
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static async Task<string> ReadToEndAsync(NetworkStream stream)
    {
        try
        {
            using var reader = new StreamReader(stream, leaveOpen: true);
            return await reader.ReadToEndAsync(Cancellation);
        }
        catch (IOException)
        {
            return ""; // cut without an answer
        }
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>Hostile and broken clients get an error response and do not affect others.</summary>
public sealed class HostileClientTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    private const string NoHash = "0000000000000000000000000000000000000000000000000000000000000000";

    private static string Yaml { get; } = new SpecificationBuilder { Methods = "[medmerge]" }.Yaml;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task Without_a_known_key_only_health_and_the_API_description_are_served(string? key)
    {
        using var client = new HttpClient { BaseAddress = gateway.Address };
        if (key is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("X-Api-Key", key);
        foreach (var path in new[] { "sweeps", "sweeps/x", "sweeps/x/events", "sweeps/x/results", "nodes" })
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync($"/api/v1/{path}", Cancellation)).StatusCode);
        using var put = await client.PutAsync($"/api/v1/files/{NoHash}", new ByteArrayContent([1]), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, put.StatusCode);
        using var post = await client.PostAsJsonAsync("/api/v1/sweeps", new { specification = "" }, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, post.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);
        var description = await client.GetStringAsync("/openapi/v1.json", Cancellation);
        Assert.Contains("/api/v1/sweeps", description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_are_too_large_are_refused()
    {
        const int mebibyte = 1024 * 1024;
        var (specification, _) = await SubmitAsync("# " + new string('x', mebibyte));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, specification);
        var (body, _) = await SubmitAsync(new string('x', 9 * mebibyte));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, body);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PutAsync(NoHash, new byte[mebibyte + 1]));
    }

    [Fact]
    public async Task A_file_is_accepted_only_under_the_hash_of_its_content()
    {
        byte[] content = [1, 2, 3, 4]; // of no other test: they share a store
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.Equal(HttpStatusCode.NotFound, await HeadAsync(hash));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(new string('a', 64), content));
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(hash, content));
        Assert.Equal(HttpStatusCode.OK, await HeadAsync(hash));
        foreach (var name in new[] { hash.ToUpperInvariant(), "x", "..%2f..%2fx", "%00" })
            Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(name, content));
    }

    [Theory]
    [InlineData("/api/v1/sweeps/../x")]
    [InlineData("/api/v1/sweeps/%2e%2e")]
    [InlineData("/api/v1/sweeps/%2e%2e%2fartefacts")]
    [InlineData("/api/v1/sweeps/..%5cx/results")]
    [InlineData("/api/v1/sweeps/X/pause")]
    [InlineData("/api/v1/sweeps/a%00b")]
    public async Task Paths_in_place_of_ids_lead_nowhere(string path)
    {
        // Raw bytes, because HttpClient normalises paths.
        foreach (var method in new[] { "GET", "POST" })
        {
            string[] lines =
            [
                $"{method} {path} HTTP/1.1",
                $"Host: {gateway.Address.Authority}",
                $"X-Api-Key: {RunningGateway.Key}",
                "Content-Length: 0",
                "Connection: close",
            ];
            var answer = await SendRawAsync(string.Join("\r\n", lines) + "\r\n\r\n");
            Assert.Matches("^HTTP/1.1 (400|404|405) ", answer);
        }
    }

    [Theory]
    [InlineData("/etc/passwd", null, "line 2: 'target.data': the file '/etc/passwd' was not uploaded")]
    [InlineData("../store/.lock", null, "was not uploaded")]
    [InlineData("data.npz", "/etc/passwd", "which is not sha256:HASH/NAME")]
    [InlineData("data.npz", "sha256:" + NoHash + "/../x", "which is not sha256:HASH/NAME")]
    [InlineData("data.npz", "sha256:" + NoHash + "/", "which is not sha256:HASH/NAME")]
    [InlineData("data.npz", "sha256:" + NoHash + "/data.npz", "was not uploaded")]
    [InlineData("sha256:" + NoHash + "/data.npz", null, "was not uploaded")]
    public async Task Only_uploaded_files_are_read(string path, string? sentAs, string expected)
    {
        const string target = "target: { data: 'phantom:lesions', trainImages: 24 }";
        var yaml = Yaml.Replace(target, $"target: {{ data: '{path}' }}", StringComparison.Ordinal);
        var files = sentAs is null ? [] : new Dictionary<string, string> { [path] = sentAs };
        var (status, detail) = await SubmitAsync(yaml, files);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(expected, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("seeds: 1", "seeds: [{0}]", "'seeds' lists 5000; there may be 1000")]
    [InlineData("methods: [medmerge]", "methods: [all]\nunknown: [{0}]", "there is no key 'unknown'")]
    public async Task Small_specifications_that_expand_to_large_sweeps_are_refused(string old, string replacement, string expected)
    {
        var numbers = string.Join(",", Enumerable.Range(0, 5000));
        var expanded = replacement.Replace("{0}", numbers, StringComparison.Ordinal);
        var yaml = Yaml.Replace(old, expanded, StringComparison.Ordinal);
        var (status, detail) = await SubmitAsync(yaml);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(expected, detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thousand_malformed_requests_are_the_clients_fault()
    {
        var type = OneOf("application/json", "application/json; charset=utf-16", "text/plain", "application/xml");
        var target = Gen.Frequency(
            (8, Gen.Const("/api/v1/sweeps")),
            (1, Gen.Const($"/api/v1/files/{NoHash}")),
            (1, Gen.Const("/api/v1/sweeps/none/cancel")));
        var requests = Gen.Select(GenerateBodies(), type, target);

        var failure = await Record.ExceptionAsync(() => requests.SampleAsync(CheckRefusedAsync, iter: 1000, threads: 2));

        Assert.True(failure is null, $"{failure}"); // names the seed
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/ready", Cancellation)).StatusCode);
        Assert.Equal("[]", (await gateway.Client.GetStringAsync("/api/v1/sweeps", Cancellation)).Trim());
    }

    [Theory]
    [InlineData(
        "POST /api/v1/sweeps HTTP/1.1\r\nHost: {0}\r\nX-Api-Key: {1}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")]
    [InlineData("PUT /api/v1/files/" + NoHash + " HTTP/1.1\r\nHost: {0}\r\nX-Api-Key: {1}\r\nContent-Length: 1000\r\n\r\n")]
    [InlineData("GET /api/v1/sweeps HTTP/1.1\r\nHost: {0}\r\nX-Slow: ")]
    public async Task A_slow_client_is_disconnected_while_others_are_served(string start)
    {
        using var slow = new TcpClient();
        await slow.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, Cancellation);
        var stream = slow.GetStream();
        var request = string.Format(null, start, gateway.Address.Authority, RunningGateway.Key);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);
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
                break; // disconnected
            }
            Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/api/v1/sweeps", Cancellation)).StatusCode);
            served++;
            await Task.WhenAny(answer, Task.Delay(1000, Cancellation));
        }
        Assert.True(served is > 2 and < 30, $"{served} other requests were served before the disconnection.");
        Assert.DoesNotContain("HTTP/1.1 200", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slow_uploads_of_one_client_keep_no_other_out()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var slow = Enumerable.Range(0, 10).Select(_ => UploadSlowlyAsync(stop.Token)).ToList();
        var content = new byte[] { 1, 2, 3 };
        using var client = new HttpClient { BaseAddress = gateway.Address };
        client.DefaultRequestHeaders.Add("X-Api-Key", RunningGateway.OtherKey);

        var name = ContentHash.Of(content);
        using var answer = await client.PutAsync($"/api/v1/files/{name}", new ByteArrayContent(content), Cancellation)
            .WaitAsync(TimeSpan.FromSeconds(45), Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.All(slow, upload => Assert.False(upload.IsCompleted, "A slow upload has ended: the test shows nothing."));
        await stop.CancelAsync();
        foreach (var upload in slow) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
    }

    /// <summary>What <c>curl --data-binary</c> sends.</summary>
    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/octet-stream")]
    [InlineData("text/plain; charset=utf-8")]
    public async Task A_file_is_taken_whatever_its_media_type(string type)
    {
        var content = Encoding.UTF8.GetBytes("a=b&" + type);
        using var body = new ByteArrayContent(content);
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await gateway.Client.PutAsync($"/api/v1/files/{ContentHash.Of(content)}", body, Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Nodes_are_listed_with_their_devices()
    {
        var nodes = await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/nodes", Cancellation);
        Assert.Equal("Active", nodes[0].GetProperty("status").GetString());
        Assert.Equal("cpu", nodes[0].GetProperty("device").GetString());
    }

    private async Task<(HttpStatusCode Status, string Detail)> SubmitAsync(
        string specification,
        Dictionary<string, string>? files = null)
    {
        using var response = await gateway.Client.PostAsJsonAsync("/api/v1/sweeps", new { specification, files }, Cancellation);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return (response.StatusCode, problem.TryGetProperty("detail", out var detail) ? detail.GetString()! : "");
    }

    private async Task<HttpStatusCode> HeadAsync(string hash)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/api/v1/files/{hash}");
        using var response = await gateway.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private async Task<HttpStatusCode> PutAsync(string name, byte[] content)
    {
        using var response = await gateway.Client.PutAsync($"/api/v1/files/{name}", new ByteArrayContent(content), Cancellation);
        return response.StatusCode;
    }

    private async Task CheckRefusedAsync(byte[] body, string mediaType, string path)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        var method = path.Contains("files", StringComparison.Ordinal) ? HttpMethod.Put : HttpMethod.Post;
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await gateway.Client.SendAsync(request, Cancellation);
        var status = (int)response.StatusCode;
        if (status is >= 400 and < 500) return;
        var answer = await response.Content.ReadAsStringAsync(Cancellation);
        throw new InvalidOperationException($"{path} answered {status} to {Encoding.UTF8.GetString(body)}: {answer}");
    }

    /// <summary>Ten times as fast as what is disconnected, and a minute for a file.</summary>
    private async Task UploadSlowlyAsync(CancellationToken stop)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, stop);
        var stream = client.GetStream();
        var head = $"PUT /api/v1/files/{NoHash} HTTP/1.1\r\nHost: {gateway.Address.Authority}\r\nX-Api-Key: {RunningGateway.Key}\r\n"
                   + "Content-Length: 1000000\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), stop);
        while (true)
        {
            await stream.WriteAsync(new byte[4096], stop);
            await Task.Delay(400, stop);
        }
    }

    private async Task<string> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, Cancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);
        return await ReadToEndAsync(client.GetStream());
    }

    private static Gen<byte[]> GenerateBodies()
    {
        var files = new Dictionary<string, string> { ["a"] = "b" };
        var valid = JsonSerializer.Serialize(new { specification = Yaml, files });
        string[] values =
        [
            "1e999",
            "-0",
            "123456789012345678901234567890",
            "NaN",
            "true",
            "[]",
            "{}",
            "null",
            "\"\\ud800\"",
            "\"\\u0000\"",
            "0x1",
            "\"\"",
        ];
        var value = OneOf(values);
        return Gen.OneOf(
            Gen.Byte.Array[0, 400],
            Gen.Int[0, valid.Length - 1].Select(length => Encoding.UTF8.GetBytes(valid[..length])),
            Gen.Int[1, 30_000].Select(depth => Encoding.UTF8.GetBytes(new string('[', depth))),
            Gen.Int[1, 5_000].Select(depth => Encoding.UTF8.GetBytes("{\"specification\":" + Repeat("{\"a\":", depth))),
            Gen.Int[1, 20_000].Select(depth => SerializeSpecification("target: " + new string('[', depth))),
            value.Select(one => Encoding.UTF8.GetBytes($"{{\"specification\":{one}}}")),
            value.Select(value, CreateFiles),
            value.Select(one => SerializeSpecification(new SpecificationBuilder { Methods = one }.Yaml + $"\nseeds: {one}")),
            Gen.Int[0, valid.Length - 30].Select(Gen.Char, InsertControlCharacter),
            Gen.String[0, 300].Select(SerializeSpecification));

        static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

        static byte[] SerializeSpecification(string yaml) => JsonSerializer.SerializeToUtf8Bytes(new { specification = yaml });

        static byte[] CreateFiles(string one, string other) =>
            Encoding.UTF8.GetBytes($"{{\"specification\":\"a: 1\",\"files\":{{\"x\":{one},\"y\":{other}}}}}");

        static byte[] InsertControlCharacter(int at, char letter) =>
            SerializeSpecification(Yaml.Insert(at % 300, $"{letter}\u0001"));
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
            return ""; // disconnected without an answer
        }
    }
}

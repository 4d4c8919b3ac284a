using System.Net;
using System.Text.Json;

namespace MedMerge.Gateway.Tests;

/// <summary>Configurations with which a gateway starts, and those that it refuses.</summary>
public sealed class StartTests
{
    private const string Hash = "--Authentication:ApiKeys:me=2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    /// <summary>Named, and not opened.</summary>
    private const string Store = "--Store:Folder=unused";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--urls=http://0.0.0.0:0")]
    [InlineData("--urls=http://127.0.0.1:0;http://*:0")]
    [InlineData("--urls=http://[::]:0")]
    [InlineData("--urls=http://example.org:0")]
    [InlineData("--http_ports=8080")]
    [InlineData("--Kestrel:Endpoints:Open:Url=http://0.0.0.0:0")]
    public void Without_authentication_it_refuses_to_listen_beyond_loopback(string setting)
    {
        var refused = Assert.Throws<InputException>(() => GatewayApp.Build([setting, Store]));
        Assert.Contains("Refusing to start", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Authentication__ApiKeys__NAME", refused.Message, StringComparison.Ordinal);
        _ = GatewayApp.Build([setting, Hash, Store]);
    }

    [Theory]
    [InlineData("--urls=nonsense", "can't be understood")]
    [InlineData("--Authentication:ApiKeys:me=secret", "must be the SHA-256 of the key")]
    [InlineData("--Authentication:ApiKeys:me:Hash=secret", "me:Role is ''; it must be one of viewer, submitter, operator")]
    [InlineData("--Authentication:Jwt:Authority=https://example.org", "needs both Authority and Audience")]
    [InlineData("--Authentication:OpenIdConnect:Authority=https://example.org", "needs both Authority and ClientId")]
    [InlineData("--Limits:RequestsPerMinute=0", "must be a whole number from 1 to 1000000")]
    [InlineData("--Limits:FileMiB=4096", "must be a whole number from 1 to 2047")]
    public void An_invalid_setting_is_reported_by_name(string setting, string message)
    {
        var refused = Assert.Throws<InputException>(() => GatewayApp.Build([setting, Store]));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_membership_table_it_lives_and_says_why_it_is_not_ready()
    {
        const string account = "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a";
        var folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
        await using var app = await RunningGateway.LaunchAsync(
            "--urls=http://127.0.0.1:0",
            "--Orleans:ClusterId=tests",
            "--Orleans:ServiceId=tests",
            $"--ConnectionStrings:blobs={account}",
            $"--Store:Folder={folder}");
        using var client = RunningGateway.CreateClient(app);
        var problem = "";
        for (var attempt = 0; attempt < 60 && !problem.Contains("127.0.0.1:9", StringComparison.Ordinal); attempt++)
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);
            using var ready = await client.GetAsync("/health/ready", Cancellation);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            using var document = JsonDocument.Parse(await ready.Content.ReadAsStringAsync(Cancellation));
            problem = document.RootElement.GetProperty("detail").GetString()!;
            await Task.Delay(250, Cancellation);
        }
        Assert.Contains("The cluster can't be reached", problem, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:9", problem, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/sweeps", Cancellation)).StatusCode); // needs only the store
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/api/v1/nodes", Cancellation)).StatusCode);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Without_authentication_it_refuses_pages_of_other_sites()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(folder);
        using var client = RunningGateway.CreateClient(app);
        Assert.Equal(HttpStatusCode.OK, await GetAsync(null, null));
        Assert.Equal(HttpStatusCode.OK, await GetAsync("Origin", client.BaseAddress!.GetLeftPart(UriPartial.Authority)));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync("Origin", "https://example.org"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync("Origin", "null"));
        Assert.Equal(HttpStatusCode.BadRequest, await GetAsync("Host", "example.org"));
        Directory.Delete(folder, recursive: true);

        async Task<HttpStatusCode> GetAsync(string? header, string? value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
            if (header is not null) request.Headers.TryAddWithoutValidation(header, value);
            return (await client.SendAsync(request, Cancellation)).StatusCode;
        }
    }
}

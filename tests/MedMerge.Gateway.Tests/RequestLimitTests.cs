using System.Net;

namespace MedMerge.Gateway.Tests;

/// <summary>How many requests a client may send.</summary>
public sealed class RequestLimitTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_sends_too_many_requests_is_told_when_to_try_again_and_others_are_served()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(
            folder,
            $"--Authentication:ApiKeys:busy={RunningGateway.Hash("a key")}",
            $"--Authentication:ApiKeys:other={RunningGateway.Hash("another key")}",
            "--Limits:RequestsPerMinute=2");
        using var client = RunningGateway.CreateClient(app);

        Assert.Equal(HttpStatusCode.OK, (await ListAsync("a key")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await ListAsync("a key")).StatusCode);
        using var refused = await ListAsync("a key");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal(HttpStatusCode.OK, (await ListAsync("another key")).StatusCode);
        for (var probe = 0; probe < 10; probe++)
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);
        Directory.Delete(folder, recursive: true);

        Task<HttpResponseMessage> ListAsync(string key)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sweeps");
            request.Headers.Add("X-Api-Key", key);
            return client.SendAsync(request, Cancellation);
        }
    }
}

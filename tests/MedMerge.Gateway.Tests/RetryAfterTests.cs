using System.Net;
using System.Net.Http.Headers;
using MedMerge.Cli;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>The command waits where the gateway asks it to.</summary>
public sealed class RetryAfterTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_request_is_sent_again_after_the_time_that_the_gateway_names()
    {
        var time = new FakeTimeProvider();
        using var gateway = new BusyGateway(refusals: 2);
        using var client = new HttpClient(new RetryAfterHandler(time) { InnerHandler = gateway });

        var answer = client.PostAsync("http://127.0.0.1/", new StringContent("body"), Cancellation);
        while (!answer.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(HttpStatusCode.OK, (await answer).StatusCode);
        Assert.Equal(["body", "body", "body"], gateway.Bodies);
        Assert.True(time.GetUtcNow() - time.Start >= 2 * BusyGateway.RetryAfter);
    }

    [Fact]
    public async Task After_two_minutes_the_refusal_stands()
    {
        var time = new FakeTimeProvider();
        using var gateway = new BusyGateway(refusals: int.MaxValue);
        using var client = new HttpClient(new RetryAfterHandler(time) { InnerHandler = gateway });

        var answer = client.GetAsync("http://127.0.0.1/", Cancellation);
        while (!answer.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await answer).StatusCode);
    }

    private sealed class BusyGateway(int refusals) : HttpMessageHandler
    {
        public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(20);

        public List<string> Bodies { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
            if (Bodies.Count > refusals) return new HttpResponseMessage(HttpStatusCode.OK);
            var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
            response.Headers.RetryAfter = new RetryConditionHeaderValue(RetryAfter);
            return response;
        }
    }
}

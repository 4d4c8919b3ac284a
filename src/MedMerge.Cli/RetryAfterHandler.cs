using System.Net;

namespace MedMerge.Cli;

/// <summary>
/// Sends a request again that the gateway refused because of too many, once the time has passed that it names; after two minutes of
/// that its answer stands.
/// </summary>
internal sealed class RetryAfterHandler(TimeProvider time) : DelegatingHandler
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <inheritdoc />
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var response = await base.SendAsync(request, cancellationToken);
            var isRefused = response.StatusCode == HttpStatusCode.TooManyRequests;
            if (!isRefused || response.Headers.RetryAfter?.Delta is not { } delay) return response;
            if (time.GetElapsedTime(start) + delay > Patience) return response;
            response.Dispose();
            await Task.Delay(delay, time, cancellationToken);
        }
    }
}

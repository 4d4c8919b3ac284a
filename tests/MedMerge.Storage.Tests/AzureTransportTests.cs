using System.Net;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Storage.Tests;

/// <summary>The blob store over transports that fail in ways a service seldom does.</summary>
public sealed class AzureTransportTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_network_that_swallows_every_packet_fails_the_call_at_its_deadline()
    {
        var time = new FakeTimeProvider();
        var silent = new Handler(_ => new TaskCompletionSource<HttpResponseMessage>().Task);
        var store = Create(silent, beforeWrite: null, time);
        Task[] calls =
        [
            store.ReadAsync("a", Cancellation),
            store.TryCreateAsync("a", new byte[] { 1 }, Cancellation),
            store.DeleteAsync("a", Cancellation),
        ];

        time.Advance(AzureBlobStore.AnswerTimeout - TimeSpan.FromSeconds(1));
        Assert.All(calls, call => Assert.False(call.IsCompleted));
        time.Advance(TimeSpan.FromSeconds(2));

        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAsync<RequestFailedException>(() => call.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
            Assert.Contains("has not answered within 6", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The process is stopped between the first try of a write and its second.</summary>
    [Fact]
    public async Task A_process_that_was_fenced_off_during_a_retry_writes_nothing()
    {
        var time = new FakeTimeProvider();
        using var guard = new SuspensionGuard(TimeSpan.FromSeconds(3), time);
        var tries = 0;
        var failing = new Handler(_ =>
        {
            tries++;
            time.Advance(TimeSpan.FromSeconds(10));
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
        });
        var store = new GuardedObjectStore(Create(failing, guard.Check, TimeProvider.System), guard);

        await Assert.ThrowsAsync<ProcessFencedException>(() => store.TryCreateAsync("a", new byte[] { 1 }, Cancellation));

        Assert.Equal(1, tries);
    }

    private static AzureBlobStore Create(HttpMessageHandler network, Action? beforeWrite, TimeProvider time)
    {
        var options = AzureBlobStore.CreateOptions(beforeWrite);
        options.Transport = new HttpClientTransport(network);
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(1);
        return new AzureBlobStore(new BlobContainerClient(new Uri("http://127.0.0.1:9/account/container"), options), time);
    }

    private sealed class Handler(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            answer(request);
    }
}

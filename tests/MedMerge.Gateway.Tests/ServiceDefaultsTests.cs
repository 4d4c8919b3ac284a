using Azure;
using Azure.Storage.Blobs;
using MedMerge.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace MedMerge.Gateway.Tests;

/// <summary>Resilience: clients of the process's own try again, Azure's by their own rules and not by both.</summary>
public sealed class ServiceDefaultsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Retries_of_the_service_defaults_are_not_added_to_those_of_Azures_client()
    {
        var asked = 0;
        await using var server = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Error"]).Build();
        server.Map("/{**path}", () =>
        {
            Interlocked.Increment(ref asked);
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        });
        await server.StartAsync(Cancellation);

        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=None"]);
        builder.AddServiceDefaults();
        await using var app = builder.Build();
        await app.StartAsync(Cancellation);

        var options = new BlobClientOptions { Retry = { MaxRetries = 2, Delay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(5) } };
        var blobs = new BlobContainerClient($"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint={server.Urls.Single()}/a;", "container", options);
        await Assert.ThrowsAsync<RequestFailedException>(() => blobs.GetPropertiesAsync(cancellationToken: Cancellation));
        Assert.Equal(1 + 2, asked);

        // A client of the process's own has the defaults' retries.
        asked = 0;
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        using var answer = await client.GetAsync(new Uri(server.Urls.Single()), Cancellation);
        Assert.True(asked > 1, $"It was asked {asked} times.");
    }
}
